import { basename, dirname } from 'node:path';
import { isEventFile } from './find-logs.ts';
import { firstBytesOf } from './fingerprint.ts';
import type { LogEntry } from './log-file.ts';

/** The steps at which writers of the event files of one run restarted (`purge_step`). A session begins at each restart. */
export interface Sessions {
  /** Call it before a file is read. Never throws. */
  add(path: string): Promise<void>;
  /**
   * The record, without `sessionStep` if the run knows the session already. Undefined if the record is void: a later file
   * of the folder begins at its step or before.
   */
  apply(path: string, entry: LogEntry): LogEntry | undefined;
}

export function createSessions(): Sessions {
  const paths = new Set<string>();
  /** The step at which the session of a file began, by its path. */
  const steps = new Map<string, number>();
  /** Sessions whose step was returned, and the folders of their writers. */
  const known: { readonly step: number; readonly folders: Set<string> }[] = [];

  /** Whether a writer in another folder of the run, such as `train/`, began the same session before. */
  function isKnown(path: string, step: number): boolean {
    const folder = dirname(path);
    const session = known.find((other) => other.step === step && !other.folders.has(folder));
    if (session === undefined) known.push({ step, folders: new Set([folder]) });
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
      // There is no earlier file in the folder, so its writer did not restart.
      const isFirst = ![...paths].some((other) => isEarlier(other, path));
      return isFirst || isKnown(path, sessionStep) ? { ...entry, record } : entry;
    },
  };
}

/** TensorBoard reads the files of a folder in the order of their names. */
const isEarlier = (path: string, other: string) =>
  dirname(path) === dirname(other) && basename(path) < basename(other);
