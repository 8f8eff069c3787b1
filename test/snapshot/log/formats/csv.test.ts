import { expect, it } from 'vitest';
import { decodeParts, logFixture } from './support.ts';

const decode = async (...parts: string[]) => {
  const { records, problems } = await decodeParts('csv', parts);
  return { fields: records.map((record) => record.fields), problems, records };
};

it('leaves out empty cells and NA, and keeps nan', async () => {
  const { fields } = await decode(logFixture('keras.csv').toString());
  expect(fields).toEqual([
    { epoch: 0, loss: 1, mae: 1 },
    { epoch: 1, loss: 0.0625, mae: 0.25, val_loss: 0.00390625, val_mae: 0.0625 },
    { epoch: 2, loss: 'nan', mae: 'nan', val_loss: 'nan', val_mae: 'nan' },
  ]);
});

it('reads the elapsed seconds of Ultralytics, and of no other', async () => {
  const { records } = await decode(logFixture('ultralytics.csv').toString());
  expect(records.map(({ elapsed }) => elapsed)).toEqual([12.5, 24.5]);
  expect((await decode('epoch,time\n1,12.5\n')).records).toEqual([
    { fields: { epoch: 1, time: 12.5 }, end: 18 },
  ]);
});

it('reports rows of another width, and reads the others', async () => {
  const { fields, problems } = await decode('a,b\n1,2\n1,2,3\n1\n3,4\n');
  expect(fields).toEqual([
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ]);
  expect(problems).toEqual([
    { kind: 'row_width', count: 2, message: expect.stringMatching(/3 cells and the header 2.*append=False/) },
  ]);
});

it('takes a new header in the middle', async () => {
  expect((await decode('a,b\n1,2\nepoch,loss,c\n3,4,5\n')).fields).toEqual([
    { a: 1, b: 2 },
    { epoch: 3, loss: 4, c: 5 },
  ]);
});

it('reports a file without a header', async () => {
  const { fields, problems } = await decode('1,2\n3,4\n');
  expect(fields).toEqual([]);
  expect(problems).toMatchObject([{ kind: 'no_header', count: 2 }]);
});

it.each([
  ['semicolons', 'a;b\n1;2\n'],
  ['tabs', 'a\tb\n1\t2\n'],
  ['quotes', '"a","b"\r\n"1","2"\r\n'],
  ['a byte order mark', '\uFEFFa,b\n1,2\n'],
  ['a quote that is never closed', 'a,b\n"1,\n1,2\n'],
  ['a line of text between the rows', 'a,b\nTraceback\n1,2\n'],
])('reads %s', async (_name, text) => {
  expect((await decode(text)).fields).toEqual([{ a: 1, b: 2 }]);
});

it('reads 10,000 columns', async () => {
  const numbers = Array.from({ length: 10_000 }, (_, index) => index);
  const { fields } = await decode(`${numbers.map((it) => `c${it}`).join()}\n${numbers.join()}\n`);
  expect(fields).toEqual([Object.fromEntries(numbers.map((it) => [`c${it}`, it]))]);
});
