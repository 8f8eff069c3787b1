import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './file.ts';

export interface BlockedThread {
  /** A module to load before the bundle. */
  readonly preload: string;
  /** Lets the call that hangs return, and those after it. */
  release(): Promise<void>;
}

/**
 * From the start or from SIGUSR2 on, the process' next `stat` through node:fs/promises occupies a thread of libuv that nothing in the
 * process can free, as a volume that hangs does: open() of a FIFO that nobody writes to.
 */
export function blockedThread(from: 'start' | 'SIGUSR2' = 'SIGUSR2'): BlockedThread {
  const folder = temporaryFolder();
  const [fifo, preload] = [join(folder, 'fifo'), join(folder, 'block.cjs')];
  execFileSync('mkfifo', [fifo]);
  writeFileSync(
    preload,
    `const files = require('node:fs/promises');
     const { stat, open } = files;
     let hangs = ${from === 'start'};
     process.on('SIGUSR2', () => { hangs = true; });
     files.stat = async (...args) => {
       if (hangs) {
         console.log('a thread is blocked');
         const handle = await open(${JSON.stringify(fifo)}, 'r');
         hangs = false;
         await handle.close();
       }
       return stat(...args);
     };`,
  );
  return {
    preload,
    async release() {
      const handle = await open(fifo, 'w');
      await handle.close();
    },
  };
}
