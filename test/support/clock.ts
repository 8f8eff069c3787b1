import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile, temporaryFolder } from './file.ts';
import { compileLibrary } from './preload.ts';

export interface SettableClock {
  /** For the process: preloads its clocks. */
  readonly environment: Readonly<Record<string, string>>;
  /** Seconds that are added to the system clock from now on, and to the monotonic clock. */
  set(realTimeSeconds: number, monotonicSeconds?: number): void;
}

/** Compiles clock.c. */
export function createSettableClock(): SettableClock {
  const folder = temporaryFolder();
  const [library, offsets] = [join(folder, 'clock.so'), join(folder, 'offsets')];
  compileLibrary('clock.c', library);
  writeFileSync(offsets, '0 0');
  return {
    environment: { LD_PRELOAD: library, CLOCK_OFFSETS: offsets },
    set: (realTimeSeconds, monotonicSeconds = 0) =>
      replaceFile(offsets, `${realTimeSeconds} ${monotonicSeconds}`),
  };
}
