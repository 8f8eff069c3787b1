import type { Snapshot } from '../snapshot.ts';
import { maxSnapshotsOfPoll, type Poll, type PollOutcome, type SnapshotSource } from '../source.ts';
import { chooseAndRead } from './choose-log.ts';
import { maxLogs } from './find-logs.ts';
import { jobIdFromFolder, withJob } from './identity.ts';
import { createLogAges } from './log-ages.ts';
import type { LogEntry, LogFailure, LogRead } from './log-file.ts';
import {
  createLogReader,
  folderOfRun,
  type LogReader,
  type LogSourceOptions,
  openedLog,
  reachedPosition,
} from './log-reader.ts';
import { followRun, type LogRun } from './log-run.ts';
import { savePosition } from './saved-position.ts';
import { nothingRead, skipToEnd } from './skip-records.ts';

/** Follows a log that a training framework appends to. Each record is one snapshot. */
export function createLogSource(options: LogSourceOptions): SnapshotSource {
  const { clock } = options;
  const reader = createLogReader(options);
  const ages = createLogAges();
  const outcomeOf = createOutcomes(reader);

  function pollOf(result: LogRead | LogFailure): Poll {
    const moment = clock();
    const outcome = outcomeOf(result);
    const isOk = outcome.status === 'ok';
    ages.read(isOk ? 'records' : 'no records', openedLog(reader)?.times?.modifiedMs, moment);
    const { more, skipped } = result.status === 'ok' ? result : nothingRead;
    const keepPosition = isOk ? keeperOf(reader) : undefined;
    const logLimit = reader.hasMoreLogs ? maxLogs : undefined;
    return { outcome, moment, more, skipped, logLimit, keepPosition, ...ages.at(moment) };
  }

  return {
    content: 'records',
    poll: async (limit = maxSnapshotsOfPoll) => pollOf(await chooseAndRead(reader, limit)),
    async pollLast() {
      const log = openedLog(reader);
      const result = log === undefined ? nothingRead : await skipToEnd(reader, log);
      return { ...pollOf(result), passedOver: result.status === 'ok' ? result.passedOver : 0 };
    },
    async stat() {
      ages.checked(clock());
    },
    ages: (now) => ages.at(now),
    async close() {
      await openedLog(reader)?.close();
    },
  };
}

/** A file is malformed only if no record of it could ever be read. After the first record, damaged ones are skipped. */
function createOutcomes(reader: LogReader): (result: LogRead | LogFailure) => PollOutcome {
  let unreadable: string | undefined;
  return (result) => {
    if (result.status !== 'ok') return result;
    if (result.entries.length > 0) {
      unreadable = undefined;
      const snapshots = result.entries.map((entry) => ({
        snapshot: snapshotOfRun(reader, entry),
        timeMs: entry.timeMs,
        hasOwnTime: entry.hasOwnTime,
      }));
      return { status: 'ok', snapshots };
    }
    if (reader.run === undefined) unreadable ??= result.skipped[0]?.message;
    return unreadable === undefined ? { status: 'unchanged' } : { status: 'malformed', reason: unreadable };
  };
}

/** Adds a record to its run. What the log says about its job takes precedence over the configuration. */
function snapshotOfRun(reader: LogReader, entry: LogEntry): Snapshot {
  const run: LogRun = followRun(reader.run, entry, entry.timeMs);
  reader.run = run;
  const { job } = reader.options;
  const given = { ...job, jobId: job.jobId ?? jobIdFromFolder(folderOfRun(reader)) };
  const snapshot = withJob(entry.snapshot, given, Math.floor(run.startTimeMs));
  return run.resume === undefined ? snapshot : { ...snapshot, resume: run.resume };
}

/** Saves the present position when it is called. Undefined if positions are not saved. */
function keeperOf(reader: LogReader): Poll['keepPosition'] {
  const { positionFile } = reader.options;
  if (positionFile === undefined) return undefined;
  const position = reachedPosition(reader);
  return position && (() => savePosition(positionFile, position));
}
