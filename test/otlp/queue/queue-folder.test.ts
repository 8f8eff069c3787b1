import { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
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
  const longAgo = new Date(Date.now() - 11 * 60_000);
  utimesSync(gone, longAgo, longAgo);
  expect(await find(root, 'new')).toEqual(requests('a', 'b'));
  expect(existsSync(gone)).toBe(false);
  expect(readdirSync(alive)).toHaveLength(1);
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
