import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crc32c } from '../../../../src/snapshot/log/formats/crc32c.ts';
import { scalarEvent } from '../../../support/event-file.ts';
import { decodeParts, logFixture } from './support.ts';

const decode = (...parts: Uint8Array[]) => decodeParts('tensorboard', parts);
const encodings = logFixture('events.out.tfevents.encodings');
const tensorboardX = logFixture('events.out.tfevents.tensorboardx');

it('computes CRC-32C', () => {
  // RFC 3720, appendix B.4.
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
});

it('reads the three encodings of a scalar, a missing step, and passes over the rest', async () => {
  const { records } = await decode(encodings);
  expect(records.map(({ fields, time }) => ({ ...fields, time: (time ?? 0) - 1_760_000_000_000 }))).toEqual([
    { loss: 4, step: 0, time: 0 },
    { loss: 3.5, 'Loss/val': 3.75, step: 1, time: 1000 },
    { loss: 3.25, step: 2, time: 2000 },
    { loss: Number.POSITIVE_INFINITY, step: 45, time: 3000 },
  ]);
});

it('reads what tensorboardX writes', async () => {
  const { records } = await decode(tensorboardX);
  expect(records).toHaveLength(5);
  expect(records[3]).toEqual({
    fields: {
      'train/loss': 0.5,
      'train/learning_rate': Math.fround(0.001),
      'train/grad_norm': Number.NaN,
      step: 3,
    },
    time: 1_760_000_003_250,
    end: expect.any(Number),
  });
});

it('begins a new record if a tag comes a second time in one step', async () => {
  const [first] = (await decode(encodings)).records;
  const event = encodings.subarray(0, first?.end);
  const { records } = await decode(event, event);
  expect(records.map(({ fields }) => fields)).toEqual([first?.fields, first?.fields]);
});

it('begins a new record if the scalars of one step are more than a second apart', async () => {
  const timeMs = 1_760_000_000_000;
  const { records } = await decode(
    scalarEvent(5, timeMs, { loss: 0.5 }),
    scalarEvent(5, timeMs + 1_000, { lr: 0.25 }),
    scalarEvent(5, timeMs + 90_000, { 'eval/loss': 0.75 }),
    scalarEvent(5, timeMs + 90_500, { 'eval/accuracy': 1 }),
    scalarEvent(5, timeMs + 80_000, { clock_went_back: 1 }),
  );
  expect(records.map(({ fields, time = 0 }) => ({ ...fields, after: time - timeMs }))).toEqual([
    { loss: 0.5, lr: 0.25, step: 5, after: 0 },
    { 'eval/loss': 0.75, 'eval/accuracy': 1, step: 5, after: 90_000 },
    { clock_went_back: 1, step: 5, after: 80_000 },
  ]);
});

it('does not join a scalar that has a time with one that has none', async () => {
  const { records } = await decode(scalarEvent(1, 1_760_000_000_000, { a: 1 }), scalarEvent(1, 0, { b: 1 }));
  expect(records.map(({ fields }) => fields)).toEqual([
    { a: 1, step: 1 },
    { b: 1, step: 1 },
  ]);
});

it.each([0, -5, 253_402_300_800, 1e300, Number.NaN, Number.POSITIVE_INFINITY])(
  'has no time that is %d s after 1970: the record then has the time of its write',
  async (seconds) => {
    const { records } = await decode(scalarEvent(1, seconds * 1000, { loss: 0.5 }));
    expect(records).toEqual([{ fields: { loss: 0.5, step: 1 }, end: expect.any(Number) }]);
  },
);

it('gives a record only once the next has begun, or when told to finish', async () => {
  const { decoder } = await decodeParts('tensorboard', []);
  expect(decoder.push(encodings)).toHaveLength(3);
  expect(decoder.finish()).toHaveLength(1);
  expect(decoder.finish()).toEqual([]);
});

it('reads on at the next record after damaged bytes, and counts the place', async () => {
  const { records: whole } = await decode(tensorboardX);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 40, max: tensorboardX.length / 2 }), async (at) => {
      const damaged = Buffer.from(tensorboardX);
      damaged[at] = (damaged[at] as number) ^ 0x41;
      const { records, problems } = await decode(damaged);
      expect(problems).toMatchObject([{ kind: 'checksum', count: 1 }]);
      for (const { fields } of records)
        expect(whole.find((it) => it.fields.step === fields.step)?.fields).toMatchObject(fields);
      expect(records.at(-1)?.fields).toEqual(whole.at(-1)?.fields);
    }),
    { numRuns: 100 },
  );
});

it('finds the records that follow one that was cut off for ever', async () => {
  const { records, problems } = await decode(tensorboardX.subarray(0, 500), encodings);
  expect(problems).toMatchObject([{ kind: 'checksum', count: 1 }]);
  expect(records.slice(-4)).toMatchObject([{}, {}, {}, { fields: { step: 45 } }]);
});
