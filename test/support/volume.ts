import { spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './file.ts';

/** As root, which may take a sudo that asks for no password. */
const asRoot = (command: string, args: readonly string[]) =>
  process.getuid?.() === 0 ? spawnSync(command, args) : spawnSync('sudo', ['-n', command, ...args]);

/** A volume of a megabyte, gone after the test. */
export function mountVolume(options: string): string {
  const folder = temporaryFolder();
  const mount = asRoot('mount', ['-t', 'tmpfs', '-o', `size=1m,${options}`, 'tmpfs', folder]);
  if (mount.status !== 0)
    throw new Error(
      `cannot mount a tmpfs, which takes root or sudo without a password: ${mount.error ?? mount.stderr}`,
    );
  onTestFinished(() => void asRoot('umount', ['--lazy', folder]));
  return folder;
}
