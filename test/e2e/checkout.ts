import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface Checkout {
  readonly folder: string;
  remove(): Promise<void>;
}

/** The repository as after a clone, in a folder of its own: what is not ignored by git, committed or not. */
export async function createCheckout(): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), 'ml-metrics-bridge-checkout-'));
  const { stdout } = await promisify(execFile)(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'],
    { cwd: repository },
  );
  for (const path of stdout.split('\0').filter(Boolean))
    await cp(join(repository, path), join(folder, path)).catch((error) => {
      // Deleted, and the deletion is not committed yet.
      if (error.code !== 'ENOENT') throw error;
    });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
