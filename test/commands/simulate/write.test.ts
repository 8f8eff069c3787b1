import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../src/commands/simulate/simulate.ts';
import { explain, replaceFile } from '../../../src/commands/simulate/write.ts';
import { metricsFile, noSleep, readText, settingsFor } from './support.ts';

describe('a file that cannot be written', () => {
  it('because its folder is a file', async () => {
    const path = await metricsFile();
    await writeFile(dirname(path), '');
    expect(await replaceFile(path, '{}')).toEqual({
      status: 'unwritable',
      code: 'ENOTDIR',
      message: `cannot write ${path}: a component of its path is not a directory (ENOTDIR)`,
    });
  });

  it('because it is a folder, and nothing is left beside it', async () => {
    const path = await metricsFile();
    await mkdir(path, { recursive: true });
    expect(await replaceFile(path, '{}')).toMatchObject({ status: 'unwritable', code: 'EISDIR' });
    expect(await readdir(dirname(path))).toEqual(['current.json']);
  });

  it('because its folder is a link to nowhere', async () => {
    const path = await metricsFile();
    await symlink('/nowhere/at/all', dirname(path));
    const below = join(dirname(path), 'below', 'current.json');
    expect(await replaceFile(below, '{}')).toMatchObject({ status: 'unwritable' });
  });

  it.runIf(process.platform === 'linux')('because the system never lets its folder be made', async () =>
    expect(await replaceFile('/proc/no/such/folder/current.json', '{}')).toMatchObject({
      status: 'unwritable',
      code: 'ENOENT',
    }),
  );

  it.each([
    ['EACCES', 'permission denied'],
    ['ENOSPC', 'no space left'],
    ['EROFS', 'read-only'],
    ['EIO', 'i/o error'],
  ])('is told for %s', (code, reason) =>
    expect(explain('/f', { code, message: 'i/o error' })).toMatch(new RegExp(`/f: .*${reason}.*${code}`)),
  );

  it('ends the run with the writes that succeeded, not with an exception', async () => {
    const path = await metricsFile();
    await writeFile(dirname(path), '');
    const outcome = await simulate(settingsFor(path), { sleep: noSleep });
    expect(outcome).toMatchObject({ status: 'unwritable', code: 'ENOTDIR', writes: 0 });
  });
});

it('a folder that is missing is made, however deep', async () => {
  const path = join(dirname(await metricsFile()), 'a', 'b', 'c.json');
  expect(await replaceFile(path, '{}')).toEqual({ status: 'written' });
  expect(await readText(path)).toBe('{}');
});
