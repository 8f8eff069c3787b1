import type { Moment } from '../../common/clock.ts';
import { createFileAge } from '../file-age.ts';
import type { Ages } from '../source.ts';

/** The ages of a log and of its last record. */
export interface LogAges {
  /** Call it after each read of the log. */
  read(result: 'records' | 'no records', modifiedMs: number | undefined, now: Moment): void;
  /** Call it after each other check for a new version. */
  checked(now: Moment): void;
  at(now: Moment): Ages;
}

export function createLogAges(): LogAges {
  const age = createFileAge();
  let lastModifiedMs: number | undefined;
  let recordMonotonicMs: number | undefined;
  return {
    read(result, modifiedMs, now) {
      if (modifiedMs !== undefined && modifiedMs !== lastModifiedMs) age.written(modifiedMs, now);
      lastModifiedMs = modifiedMs;
      const fileAgeMs = age.at(now);
      if (result === 'records' && fileAgeMs !== undefined) recordMonotonicMs = now.monotonicMs - fileAgeMs;
      age.checked(now);
    },
    checked: (now) => age.checked(now),
    at: (now) => ({
      fileAgeMs: age.at(now),
      snapshotAgeMs: recordMonotonicMs === undefined ? undefined : now.monotonicMs - recordMonotonicMs,
    }),
  };
}
