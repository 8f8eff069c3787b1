import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PresetName } from '../../catalogue/file-formats.ts';
import type { Clock, Moment } from '../../common/clock.ts';
import { createFileAge } from '../file-age.ts';
import type { Snapshot } from '../snapshot.ts';
import {
  type Ages,
  maxSnapshotsOfPoll,
  type Poll,
  type PollOutcome,
  type SnapshotSource,
  type TimedSnapshot,
} from '../source.ts';
import { findLogs, isPattern } from './find-logs.ts';
import { jobIdFromFolder, type LogJob, withJob } from './identity.ts';
import type { LogEntry, LogFailure, LogFile, LogRead } from './log-file.ts';
import type { LogFiles } from './log-files.ts';
import { followRun, type LogRun, recordKind } from './log-run.ts';
import { openLogAndRotated } from './rotated-log.ts';
import { openRunFiles, type RunFiles } from './run-files.ts';
import { loadPosition, type SavedPosition, savePosition } from './saved-position.ts';
import { areOfOneRun } from './second-log.ts';

export interface LogSourceOptions {
  readonly path: string;
  readonly clock: Clock;
  /** When the bridge started, in Unix milliseconds. */
  readonly startedUnixMs: number;
  readonly format: 'auto' | PresetName;
  /** `end`: reads the last record of each kind that is there, and then what is appended. */
  readonly start: 'end' | 'beginning';
  readonly job: LogJob;
  /** The file that stores how far the log was exported; undefined if this is not stored. */
  readonly positionFile?: string | undefined;
}

/** A trainer may write a little before its bridge has started. A log that is older by more is of an earlier run. */
const earlierByMs = 60_000;
const maxKinds = 32;
/** How often the folder is searched for a newer run and for new files of the run. */
const searchIntervalMs = 10_000;

type Followed = Pick<LogFile, 'read' | 'times'>;

/** The records that remain after others were skipped. */
interface SkippedRead extends LogRead {
  readonly passedOver: number;
}

const nothing: SkippedRead = { status: 'ok', entries: [], more: false, skipped: [], passedOver: 0 };

/** Follows a log that a training framework appends to. Each record is one snapshot. */
export function createLogSource({
  path,
  clock,
  startedUnixMs,
  format,
  start,
  job,
  positionFile,
}: LogSourceOptions): SnapshotSource {
  const age = createFileAge();
  let file: LogFile | undefined;
  /** Replaces `file` if the path is a folder or a pattern. */
  let runFiles: RunFiles | undefined;
  let several: boolean | undefined;
  let nextSearchMs = Number.NEGATIVE_INFINITY;
  /** Folders of runs that are no longer followed, so that they are not read a second time. */
  const leftFolders = new Set<string>();
  let run: LogRun | undefined;
  let wasMissing = false;
  let modifiedMs: number | undefined;
  let recordMonotonicMs: number | undefined;
  let unreadable: string | undefined;

  async function read(limit: number): Promise<LogRead | LogFailure> {
    if ((await isSeveral()) && clock().monotonicMs >= nextSearchMs) return readFound(limit);
    if (file !== undefined || runFiles !== undefined) return (runFiles ?? (file as LogFile)).read(limit);
    const saved = await savedPosition();
    const skips = start === 'end' && !wasMissing && saved === undefined;
    const from = skips ? 'near end' : saved?.files.get(path);
    const opened = await openLogAndRotated({ path, clock, format, from });
    if (opened.status !== 'ok') {
      wasMissing ||= opened.status === 'missing' || opened.status === 'empty';
      return opened;
    }
    file = opened;
    run = saved?.run;
    return skips ? skipUnlessOfEarlierRun(opened) : opened.read(limit);
  }

  async function isSeveral(): Promise<boolean> {
    if (file === undefined && !several) several = isPattern(path) || (await isFolder(path));
    return several ?? false;
  }

  /** Searches for new files of the run and for a newer run, and reads. */
  async function readFound(limit: number): Promise<LogRead | LogFailure> {
    const found = await findLogs(path);
    if (found === undefined) {
      wasMissing = true;
      return { status: 'missing', reason: `no log is found at ${path}` };
    }
    nextSearchMs = clock().monotonicMs + searchIntervalMs;
    if (runFiles === undefined) return readFirstRun(found, limit);
    const followed = { folder: runFiles.folder, paths: [...runFiles.positions.keys()] };
    const isSecondLog = await areOfOneRun(followed, found);
    const isOtherFolder = followed.folder !== found.folder;
    if (!isSecondLog && !isOtherFolder) await runFiles.add(found.paths);
    const rest = await runFiles.read(limit);
    const isOtherRun = !isSecondLog && isOtherFolder && !leftFolders.has(found.folder);
    // A run is read to its end before a newer one is followed.
    if (!isOtherRun || rest.status !== 'ok' || rest.entries.length > 0 || rest.more) return rest;
    leftFolders.add(runFiles.folder);
    return followRunFiles(found, limit, 'all');
  }

  /** Continues at the saved position of the previous bridge, even if there is a newer run now. */
  async function readFirstRun(found: LogFiles, limit: number): Promise<LogRead | LogFailure> {
    const saved = await savedPosition();
    if (saved !== undefined) {
      const files = { folder: saved.folder, paths: [...saved.files.keys()] };
      const opened = await openRunFiles(files, { clock, format, from: saved.files });
      if (!('status' in opened)) {
        runFiles = opened;
        run = saved.run;
        nextSearchMs = Number.NEGATIVE_INFINITY;
        return opened.read(limit);
      }
    }
    const skips = start === 'end' && !wasMissing && saved === undefined;
    return followRunFiles(found, limit, skips ? 'end' : 'all');
  }

  async function followRunFiles(
    found: LogFiles,
    limit: number,
    what: 'all' | 'end',
  ): Promise<LogRead | LogFailure> {
    const opened = await openRunFiles(found, {
      clock,
      format,
      from: what === 'end' ? 'near end' : undefined,
    });
    if ('status' in opened) return opened;
    await runFiles?.close();
    runFiles = opened;
    run = undefined;
    return what === 'end' ? skipUnlessOfEarlierRun(opened) : opened.read(limit);
  }

  async function savedPosition(): Promise<SavedPosition | undefined> {
    return positionFile === undefined ? undefined : loadPosition(positionFile, path);
  }

  async function skipUnlessOfEarlierRun(opened: Followed): Promise<LogRead | LogFailure> {
    const skipped = await skipToEnd(opened);
    const isOfEarlierRun = (opened.times?.modifiedMs ?? 0) < startedUnixMs - earlierByMs;
    return isOfEarlierRun && skipped.status === 'ok' ? nothing : skipped;
  }

  /** Skips all existing records except the last one of each kind. */
  async function skipToEnd(opened: Followed): Promise<SkippedRead | LogFailure> {
    let count = 0;
    const last = new Map<string, LogEntry>();
    let result: LogRead | LogFailure;
    do {
      result = await opened.read(maxSnapshotsOfPoll);
      if (result.status !== 'ok') return result;
      count += result.entries.length;
      for (const entry of result.entries) {
        const before = run;
        run = runAfter(entry);
        if (before?.startTimeMs !== run.startTimeMs) last.clear();
        const kind = recordKind(entry.snapshot);
        last.delete(kind);
        last.set(kind, entry);
        if (last.size > maxKinds) last.delete(last.keys().next().value as string);
      }
    } while (result.more);
    const entries = [...last.values()];
    return { ...result, entries, passedOver: count - entries.length };
  }

  const runAfter = (entry: LogEntry) => followRun(run, entry, entry.timeMs);

  function timed(entry: LogEntry): TimedSnapshot {
    run = runAfter(entry);
    return { snapshot: ofRun(entry.snapshot, run), timeMs: entry.timeMs };
  }

  /** A file is malformed only if no record of it could ever be read. After the first record, damaged ones are skipped. */
  function outcomeOf(result: LogRead | LogFailure): PollOutcome {
    if (result.status !== 'ok') return result;
    if (result.entries.length > 0) {
      unreadable = undefined;
      return { status: 'ok', snapshots: result.entries.map(timed) };
    }
    if (run === undefined) unreadable ??= result.skipped[0]?.message;
    return unreadable === undefined ? { status: 'unchanged' } : { status: 'malformed', reason: unreadable };
  }

  /** The log itself takes precedence over the configuration. */
  function ofRun(snapshot: Snapshot, { startTimeMs, resume }: LogRun): Snapshot {
    const folder = runFiles?.folder ?? dirname(path);
    const given = { ...job, jobId: job.jobId ?? jobIdFromFolder(folder) };
    return { ...withJob(snapshot, given, Math.floor(startTimeMs)), ...(resume && { resume }) };
  }

  function updateAge(): void {
    const next = (runFiles ?? file)?.times?.modifiedMs;
    if (next !== undefined && next !== modifiedMs) age.written(next, clock());
    modifiedMs = next;
  }

  function ages(now: Moment): Ages {
    const snapshotAgeMs = recordMonotonicMs === undefined ? undefined : now.monotonicMs - recordMonotonicMs;
    return { fileAgeMs: age.at(now), snapshotAgeMs };
  }

  function keepPosition(): Poll['keepPosition'] {
    const files = runFiles?.positions ?? (file && new Map([[path, file.lastPosition]]));
    if (positionFile === undefined || files === undefined) return undefined;
    const saved = { path, folder: runFiles?.folder ?? dirname(path), files, run };
    return () => savePosition(positionFile, saved);
  }

  function pollOf(result: LogRead | LogFailure): Poll {
    updateAge();
    const moment = clock();
    const outcome = outcomeOf(result);
    const { fileAgeMs } = ages(moment);
    if (outcome.status === 'ok' && fileAgeMs !== undefined)
      recordMonotonicMs = moment.monotonicMs - fileAgeMs;
    age.checked(moment);
    const { more, skipped } = result.status === 'ok' ? result : nothing;
    const keep = outcome.status === 'ok' ? keepPosition() : undefined;
    return { outcome, moment, more, skipped, keepPosition: keep, ...ages(moment) };
  }

  return {
    content: 'records',
    poll: async (limit = maxSnapshotsOfPoll) => pollOf(await read(limit)),
    async pollLast() {
      const followed = runFiles ?? file;
      const result = followed === undefined ? nothing : await skipToEnd(followed);
      return { ...pollOf(result), passedOver: result.status === 'ok' ? result.passedOver : 0 };
    },
    async stat() {
      age.checked(clock());
    },
    ages,
    async close() {
      await (runFiles ?? file)?.close();
    },
  };
}

const isFolder = (path: string) =>
  stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
