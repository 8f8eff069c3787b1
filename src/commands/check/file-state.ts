import { realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { PollFailure } from '../../catalogue/outcomes.ts';
import { pause } from '../../common/timing.ts';
import type { Config } from '../../config/bridge.ts';
import { interpret } from '../../snapshot/interpret.ts';
import {
  type FileVersion,
  mayBeHalfWritten,
  type ReadOutcome,
  readMetricsFile,
  rereadAfterMs,
  sameVersion,
  statMetricsFile,
} from '../../snapshot/json-file.ts';
import { jobIdFromFolder } from '../../snapshot/log/identity.ts';
import { parsePythonJson } from '../../snapshot/parse.ts';
import type { MissingFile } from '../../snapshot/read-errors.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { PathComponent } from './access.ts';
import { type FollowedLog, followedLog } from './followed-log.ts';
import { formatOfFile, type LogState, readLog } from './log-state.ts';

export type Content =
  | {
      readonly status: 'ok';
      readonly document: Readonly<Record<string, unknown>>;
      readonly snapshot: Snapshot;
      /** If the file is a log that a framework appends to. */
      readonly log?: LogState;
    }
  /** Not JSON, or not a JSON object. */
  | { readonly status: 'malformed'; readonly bytes: Uint8Array; readonly reason: string }
  | MissingFile
  | {
      readonly status: Exclude<PollFailure, 'missing' | 'malformed' | 'no_metrics' | 'hung'>;
      readonly reason: string;
    };

/** The file at one moment. */
export interface FileState {
  /** Absolute. */
  readonly path: string;
  readonly content: Content;
  /** Undefined if there is no file. */
  readonly version: FileVersion | undefined;
  /** Directories from the root on, then the file; ends before the first that cannot be read. */
  readonly pathComponents: readonly PathComponent[];
}

export type LogConfig = Pick<Config, 'metricsFileFormat' | 'jobId' | 'modelName' | 'dataset'>;

const defaultLogConfig: LogConfig = {
  metricsFileFormat: 'auto',
  jobId: undefined,
  modelName: undefined,
  dataset: undefined,
};

/** Reads the file as the bridge does at a poll, and the owners and modes of its path. Never throws. */
export async function readFileState(file: string, config = defaultLogConfig): Promise<FileState> {
  const followed = config.metricsFileFormat === 'json' ? undefined : await followedLog(resolve(file));
  const path = followed?.path ?? resolve(file);
  const log = await readLogContent(path, followed, config);
  if (log !== undefined) return { path, ...log, pathComponents: await pathComponentsOf(path) };
  let read = await readMetricsFile(path);
  let content = contentOf(read);
  if (mayBeHalfWritten(content)) {
    await pause(rereadAfterMs);
    read = await readMetricsFile(path);
    content = contentOf(read);
  }
  const version = 'version' in read ? read.version : undefined;
  return { path, content, version, pathComponents: await pathComponentsOf(path) };
}

/** Undefined if the file is not a log, or cannot be read. */
async function readLogContent(
  path: string,
  followed: FollowedLog | undefined,
  { metricsFileFormat, jobId, modelName, dataset }: LogConfig,
): Promise<Pick<FileState, 'content' | 'version'> | undefined> {
  const version = await statMetricsFile(path);
  if (version === undefined) return undefined;
  try {
    const format = metricsFileFormat === 'auto' ? await formatOfFile(path) : metricsFileFormat;
    if (format === 'json') return undefined;
    const reading = await readLog(path, format, followed);
    if (reading.status === 'no_record')
      return { content: { status: 'empty', reason: reading.reason }, version };
    const { log } = reading;
    const interpretation = interpret(log.document);
    if (interpretation.status !== 'ok') return undefined;
    const { job } = interpretation.snapshot;
    const snapshot: Snapshot = {
      ...interpretation.snapshot,
      job: {
        ...job,
        jobId: job.jobId ?? jobId ?? jobIdFromFolder(followed?.runFolder ?? dirname(path)),
        modelName: job.modelName ?? modelName,
        dataset: job.dataset ?? dataset,
      },
    };
    return { content: { status: 'ok', document: log.document, snapshot, log }, version };
  } catch {
    return undefined;
  }
}

/** Whether nothing was written between the two. */
export function sameFileState(a: FileState, b: FileState): boolean {
  if (a.content.status !== b.content.status) return false;
  return a.version !== undefined && b.version !== undefined
    ? sameVersion(a.version, b.version)
    : a.version === b.version;
}

function contentOf(read: ReadOutcome): Content {
  switch (read.status) {
    case 'ok': {
      const malformed = (reason: string): Content => ({ status: 'malformed', bytes: read.bytes, reason });
      const parsed = parsePythonJson(read.bytes);
      if (parsed.status !== 'ok') return malformed(parsed.reason);
      const interpretation = interpret(parsed.value);
      return interpretation.status === 'ok'
        ? {
            status: 'ok',
            document: parsed.value as Record<string, unknown>,
            snapshot: interpretation.snapshot,
          }
        : malformed(interpretation.reason);
    }
    case 'torn':
    case 'unchanged':
      return {
        status: 'malformed',
        bytes: new Uint8Array(),
        reason: 'the file changes while it is read: write to a temporary file, then rename it',
      };
    case 'empty':
      return {
        status: 'empty',
        reason: 'the file is empty: nothing was written yet, or it is rewritten in place',
      };
    case 'missing':
      return read;
    default:
      return { status: read.status, reason: read.reason };
  }
}

/** Includes the directories behind a symbolic link. */
async function pathComponentsOf(path: string): Promise<readonly PathComponent[]> {
  const real = await realpath(path).catch(() => path);
  const directories = new Set([...directoriesOf(path), ...directoriesOf(real)]);
  const components: PathComponent[] = [];
  for (const [each, kind] of [
    ...[...directories].map((it) => [it, 'directory'] as const),
    [path, 'file'] as const,
  ]) {
    const stats = await stat(each).catch(() => undefined);
    if (stats === undefined || stats.isDirectory() !== (kind === 'directory')) break;
    components.push({ path: each, kind, uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777 });
  }
  return components;
}

function directoriesOf(path: string): readonly string[] {
  const directory = dirname(path);
  return directory === path ? [] : [...directoriesOf(directory), directory];
}
