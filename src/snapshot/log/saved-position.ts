import { readFile } from 'node:fs/promises';
import { writeStateFile } from '../../common/state-file.ts';
import type { FilePosition } from './file-position.ts';
import type { LogRun } from './log-run.ts';

/** How far the logs at a path were exported, for the next bridge. */
export interface SavedPosition {
  /** METRICS_FILE_PATH: a file, a folder or a pattern. */
  readonly path: string;
  /** Folder of the run. */
  readonly folder: string;
  /** By the path of each file of the run. */
  readonly files: ReadonlyMap<string, FilePosition>;
  readonly run: LogRun | undefined;
}

const version = 2;

export async function savePosition(file: string, { path, folder, files, run }: SavedPosition): Promise<void> {
  const content = JSON.stringify({
    version,
    path,
    folder,
    files: [...files].map(([name, position]) => [name, encoded(position)]),
    run: run && { ...run, highestSteps: [...run.highestSteps], lastSteps: [...run.lastSteps] },
  });
  await writeStateFile(file, content);
}

/** Undefined if none was saved for this path. Never throws. */
export async function loadPosition(file: string, path: string): Promise<SavedPosition | undefined> {
  try {
    const saved = JSON.parse(await readFile(file, 'utf8'));
    if (saved.version !== version || saved.path !== path) return undefined;
    const files: readonly [string, EncodedPosition][] = saved.files;
    return {
      path,
      folder: saved.folder,
      files: new Map(files.map(([name, position]) => [name, decoded(position)])),
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

type EncodedPosition = ReturnType<typeof encoded>;

const encoded = ({ fingerprint, ...rest }: FilePosition) => ({
  ...rest,
  fingerprint: {
    head: fingerprint.head.toString('base64'),
    tail: fingerprint.tail.toString('base64'),
    end: fingerprint.end,
  },
});

function decoded({ offset, columns, history, fingerprint }: EncodedPosition): FilePosition {
  const [head, tail] = [Buffer.from(fingerprint.head, 'base64'), Buffer.from(fingerprint.tail, 'base64')];
  return { offset, columns, history, fingerprint: { head, tail, end: fingerprint.end } };
}
