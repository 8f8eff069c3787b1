import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './file.ts';

export interface HangSwitch {
  /** For the process: preloads the calls that can hang. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder below which open() hangs while it is on. */
  readonly folder: string;
  on(): void;
  off(): void;
}

/** Compiles hang.c, which takes a C compiler. */
export function createHangSwitch(): HangSwitch {
  const root = temporaryFolder();
  const [library, folder, file] = [join(root, 'hang.so'), join(root, 'volume'), join(root, 'switch')];
  mkdirSync(folder);
  const source = fileURLToPath(new URL('hang.c', import.meta.url));
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-o', library, source, '-ldl'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    throw new Error('cannot compile test/support/hang.c: these tests need gcc', { cause: error });
  }
  return {
    environment: { LD_PRELOAD: library, HANG_FOLDER: `${folder}/`, HANG_SWITCH: file },
    folder,
    on: () => writeFileSync(file, ''),
    off: () => rmSync(file, { force: true }),
  };
}
