import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createQueueFolder } from '../../../src/otlp/queue/queue-folder.ts';
import { temporaryFolder } from '../../support/file.ts';

/** Writes each request as a bridge of this name. */
async function leave(root: string, instance: string, requests: readonly Uint8Array[]) {
  const folder = createQueueFolder(root, instance);
  await folder.open();
  for (const request of requests) await folder.write(folder.newName(), request);
}

/** What a bridge of this name finds when it starts. */
async function find(root: string, instance: string): Promise<readonly (Buffer | undefined)[]> {
  const folder = createQueueFolder(root, instance);
  const found = [];
  for (const { name } of await folder.open()) {
    const request = await folder.read(name);
    found.push(request && Buffer.from(request));
  }
  return found;
}

const requests = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text));
const filesIn = (folder: string) => readdirSync(folder).map((name) => join(folder, name));

it('is found by the next bridge of the same name, oldest first', async () => {
  const root = temporaryFolder();
  const many = Array.from({ length: 30 }, (_, index) => Buffer.from(`request ${index}`));
  await leave(root, 'one', many.slice(0, 20));
  await leave(root, 'one', many.slice(20));
  expect(await find(root, 'one')).toEqual(many);
});

it('is apart for each name, whatever is in it', async () => {
  const root = temporaryFolder();
  const names = ['ns.pod.container', '..', '../one', 'one', 'a/b', `${'x'.repeat(300)}`, 'ü %'];
  for (const name of names) await leave(root, name, requests(name));
  for (const name of names) expect(await find(root, name)).toEqual(requests(name));
  expect(readdirSync(root)).toHaveLength(names.length);
});

it('goes to whoever starts next where its bridge has been gone for long, and only then', async () => {
  const root = temporaryFolder();
  await leave(root, 'gone', requests('a', 'b'));
  await leave(root, 'alive', requests('c'));
  const [alive = '', gone = ''] = filesIn(root).toSorted();
  abandon(root, 'gone');
  abandon(root, 'alive', 9);
  expect(await find(root, 'new')).toEqual(requests('a', 'b'));
  expect(existsSync(gone)).toBe(false);
  expect(readdirSync(alive)).toHaveLength(1);
});

/** Makes the folder of a bridge look as if that has been gone for so long, and gives its path. */
function abandon(root: string, instance: string, minutes = 11): string {
  const folder = join(root, `bridge-${instance}`);
  const longAgo = new Date(Date.now() - minutes * 60_000);
  utimesSync(folder, longAgo, longAgo);
  return folder;
}

it('is marked where it was taken over, also after a restart', async () => {
  const root = temporaryFolder();
  await leave(root, 'gone', requests('a', 'b'));
  abandon(root, 'gone');
  await createQueueFolder(root, 'new').open();
  await leave(root, 'new', requests('c'));
  const found = await createQueueFolder(root, 'new').open();
  expect(found.map(({ isOrphan }) => isOrphan)).toEqual([true, true, false]);
  expect(await find(root, 'new')).toEqual(requests('a', 'b', 'c'));
});

it('takes over only files that a bridge wrote, and follows no symbolic link', async () => {
  const root = temporaryFolder();
  const outside = temporaryFolder();
  await leave(outside, 'other', requests('of another volume'));
  const [other = ''] = filesIn(join(outside, 'bridge-other'));
  await leave(root, 'gone', requests('a'));
  const gone = join(root, 'bridge-gone');
  writeFileSync(join(gone, 'model.bin'), 'weights');
  writeFileSync(join(gone, 'notes.otlp'), 'notes');
  symlinkSync(other, join(gone, '00000000000001-00000000-000000001.otlp'));
  mkdirSync(join(gone, '00000000000002-00000000-000000002.otlp'));
  abandon(root, 'gone');
  symlinkSync(abandon(outside, 'other'), join(root, 'bridge-link'));
  expect(await find(root, 'new')).toEqual(requests('a'));
  expect(readdirSync(gone).toSorted()).toEqual([
    '00000000000001-00000000-000000001.otlp',
    '00000000000002-00000000-000000002.otlp',
    'model.bin',
    'notes.otlp',
  ]);
  expect(existsSync(other)).toBe(true);
});

it('does not begin to use a folder that is a symbolic link, nor write to a link in it', async () => {
  const root = temporaryFolder();
  const outside = temporaryFolder();
  symlinkSync(outside, join(root, 'bridge-one'));
  await expect(leave(root, 'one', requests('a'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  expect(readdirSync(outside)).toEqual([]);
  writeFileSync(join(outside, 'precious'), 'content');
  await leave(root, 'two', requests('a'));
  symlinkSync(join(outside, 'precious'), join(root, 'bridge-two', '.alive'));
  await createQueueFolder(root, 'two').touch();
  expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe('content');
});

it('does not write to a symbolic link that has the name of its next file', async () => {
  const root = temporaryFolder();
  const precious = join(temporaryFolder(), 'precious');
  writeFileSync(precious, 'content');
  const folder = createQueueFolder(root, 'one');
  await folder.open();
  const name = folder.newName();
  symlinkSync(precious, join(root, 'bridge-one', name));
  await expect(folder.write(name, Buffer.from('a'))).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(precious, 'utf8')).toBe('content');
});

it('does not read a file that became a symbolic link after it was found', async () => {
  const root = temporaryFolder();
  const outside = temporaryFolder();
  await leave(outside, 'other', requests('of another volume'));
  await leave(root, 'one', requests('a'));
  const folder = createQueueFolder(root, 'one');
  const [{ name = '' } = {}] = await folder.open();
  const [other = ''] = filesIn(join(outside, 'bridge-other'));
  rmSync(join(root, 'bridge-one', name));
  symlinkSync(other, join(root, 'bridge-one', name));
  expect(await folder.read(name)).toBeUndefined();
});

it('does not wait for a named pipe that took the place of a file', async () => {
  const root = temporaryFolder();
  await leave(root, 'one', requests('a'));
  const folder = createQueueFolder(root, 'one');
  const [{ name = '' } = {}] = await folder.open();
  rmSync(join(root, 'bridge-one', name));
  execFileSync('mkfifo', [join(root, 'bridge-one', name)]);
  expect(await folder.read(name)).toBeUndefined();
});

it('gives back what was written, or nothing, whatever is cut off or changed', {
  timeout: 60_000,
}, async () => {
  const damage = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('cut', 'flip', 'none', 'none'),
  });
  const written = fc.array(fc.record({ request: fc.uint8Array({ minLength: 1, maxLength: 200 }), damage }), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(written, async (records) => {
      const root = temporaryFolder();
      await leave(
        root,
        'one',
        records.map(({ request }) => request),
      );
      const files = filesIn(join(root, 'bridge-one')).toSorted();
      const expected = records.map(({ request, damage: { at, how } }, index) => {
        const file = files[index] ?? '';
        const content = readFileSync(file);
        const position = at % content.length;
        if (how === 'cut') truncateSync(file, position);
        if (how === 'flip') {
          content[position] = (content[position] ?? 0) ^ (1 << (at % 8));
          writeFileSync(file, content);
        }
        return how === 'none' ? Buffer.from(request) : undefined;
      });
      expect(await find(root, 'one')).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});
