import { readFile } from 'node:fs/promises';
import { writeStateFile } from '../../common/state-file.ts';
import type { FilePosition } from './follow-file.ts';
import type { LogRun } from './log-run.ts';

/** How far a log was exported, for the next bridge. */
export interface SavedPosition {
  readonly path: string;
  readonly position: FilePosition;
  readonly run: LogRun | undefined;
}

const version = 1;

export async function savePosition(file: string, { path, position, run }: SavedPosition): Promise<void> {
  const { fingerprint, ...rest } = position;
  const content = JSON.stringify({
    version,
    path,
    position: {
      ...rest,
      fingerprint: {
        head: fingerprint.head.toString('base64'),
        tail: fingerprint.tail.toString('base64'),
        end: fingerprint.end,
      },
    },
    run: run && { ...run, highestSteps: [...run.highestSteps], lastSteps: [...run.lastSteps] },
  });
  await writeStateFile(file, content);
}

/** Undefined if none was saved for this path. Never throws. */
export async function loadPosition(file: string, path: string): Promise<SavedPosition | undefined> {
  try {
    const saved = JSON.parse(await readFile(file, 'utf8'));
    if (saved.version !== version || saved.path !== path) return undefined;
    const { offset, columns, history, fingerprint } = saved.position;
    const [head, tail] = [Buffer.from(fingerprint.head, 'base64'), Buffer.from(fingerprint.tail, 'base64')];
    return {
      path,
      position: { offset, columns, history, fingerprint: { head, tail, end: fingerprint.end } },
      run: saved.run && {
        ...saved.run,
        highestSteps: new Map(saved.run.highestSteps),
        lastSteps: new Map(saved.run.lastSteps),
      },
    };
  } catch {
    return undefined;
  }
}
