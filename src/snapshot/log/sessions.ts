import { basename, dirname } from 'node:path';
import { isEventFile } from './find-logs.ts';
import { firstBytesOf } from './fingerprint.ts';
import type { LogEntry } from './log-file.ts';

/** Where the writers of the event files of one run began again (`purge_step`). */
export interface Sessions {
  /** Call it before a file is read. Never throws. */
  add(path: string): Promise<void>;
  /** A record as the run has it; undefined if it is void, because a later file of the folder began at its step or before. */
  apply(path: string, entry: LogEntry): LogEntry | undefined;
}

export function createSessions(): Sessions {
  const paths = new Set<string>();
  /** Steps that sessions began at, by the file's path. */
  const steps = new Map<string, number>();
  /** Sessions that the run has been told of, and the folders in which writers began them. */
  const told: { readonly step: number; readonly folders: Set<string> }[] = [];

  /** Whether the writer of another folder of the run, such as `train/`, has begun the session already. */
  function isTold(path: string, step: number): boolean {
    const folder = dirname(path);
    const session = told.find((other) => other.step === step && !other.folders.has(folder));
    if (session === undefined) told.push({ step, folders: new Set([folder]) });
    session?.folders.add(folder);
    return session !== undefined;
  }

  return {
    async add(path) {
      paths.add(path);
      if (!isEventFile(path)) return;
      const { sessionStepIn } = await import('./formats/tensorboard.ts');
      const step = sessionStepIn(await firstBytesOf(path));
      if (step !== undefined) steps.set(path, step);
    },
    apply(path, entry) {
      const { sessionStep, ...record } = entry.record;
      for (const [other, step] of steps)
        if (isEarlier(path, other) && Number(record.fields.step) >= step) return undefined;
      if (sessionStep === undefined) return entry;
      steps.set(path, sessionStep);
      // The first file of a folder has none before it in which its writer could have gone back.
      const isFirst = ![...paths].some((other) => isEarlier(other, path));
      return isFirst || isTold(path, sessionStep) ? { ...entry, record } : entry;
    },
  };
}

/** TensorBoard reads the files of a folder in the order of their names. */
const isEarlier = (path: string, other: string) =>
  dirname(path) === dirname(other) && basename(path) < basename(other);
