import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './file.ts';
import { compileLibrary } from './preload.ts';

export interface HangSwitch {
  /** For the process: preloads the calls that can hang. */
  readonly environment: Readonly<Record<string, string>>;
  /** A folder below which open() hangs while it is on. */
  readonly folder: string;
  on(): void;
  off(): void;
}

/** Compiles hang.c. */
export function createHangSwitch(): HangSwitch {
  const root = temporaryFolder();
  const [library, folder, file] = [join(root, 'hang.so'), join(root, 'volume'), join(root, 'switch')];
  mkdirSync(folder);
  compileLibrary('hang.c', library);
  return {
    environment: { LD_PRELOAD: library, HANG_FOLDER: `${folder}/`, HANG_SWITCH: file },
    folder,
    on: () => writeFileSync(file, ''),
    off: () => rmSync(file, { force: true }),
  };
}
