import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file that the next process reads, and makes its folder. A process that is killed leaves the old content or
 * the new. A symbolic link in place of the new file is removed, not followed, because others may write to the folder.
 */
export async function writeStateFile(file: string, content: string): Promise<void> {
  const next = `${file}.new`;
  await mkdir(dirname(file), { recursive: true });
  await rm(next, { force: true });
  await writeFile(next, content, { flag: 'wx' });
  await rename(next, file);
}
