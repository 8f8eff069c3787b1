import { formatNumber } from '../../cli/terminal/format.ts';
import type { Clock } from '../../common/clock.ts';
import { maxLogs } from '../../snapshot/log/find-logs.ts';
import type { RunLogs } from '../../snapshot/log/log-files.ts';
import type { SkippedRecords } from '../../snapshot/source.ts';
import type { RecordTimes } from './advice.ts';
import { type Placement, placeRecords, type Survey, surveyRun } from './placement.ts';
import { readRun } from './read-run.ts';
import type { ReplayRequest } from './request.ts';
import { findRuns, type ReplayRun } from './runs.ts';

/** A file that is not sent, though it is a log. */
export interface LeftOutLog {
  readonly path: string;
  readonly reason: string;
}

export interface PlannedRun extends ReplayRun {
  readonly placement: Placement;
}

/** What a replay sends. */
export interface ReplayPlan extends RecordTimes {
  readonly status: 'ok';
  readonly runs: readonly PlannedRun[];
  readonly records: number;
  /** What could not be read, and why. */
  readonly failures: readonly string[];
  readonly leftOut: readonly LeftOutLog[];
}

export type PlanResult =
  | ReplayPlan
  | { readonly status: 'stopped' }
  /** The command line does not say enough. */
  | { readonly status: 'refused'; readonly problems: readonly string[] }
  | { readonly status: 'unreadable'; readonly reasons: readonly string[] };

export interface PlanOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onSkipped: (skipped: SkippedRecords) => void;
  /** Called with how many records have been read. */
  readonly onRecords: (records: number) => void;
}

/** Reads all logs once, to know how many records there are and when they were written. */
export async function planReplay(request: ReplayRequest, options: PlanOptions): Promise<PlanResult> {
  const failures: string[] = [];
  const problems: string[] = [];
  const runs: PlannedRun[] = [];
  const leftOut: LeftOutLog[] = [];
  let records = 0;
  const onMore = () => void failures.push(moreLogs(request.path));
  for (const run of await findRuns(request.path, request.jobId, onMore)) {
    const read = { ...options, format: request.config.metricsFileFormat };
    const before = failures.length;
    const entries = readRun(run.files, { ...read, onFailure: (reason) => void failures.push(reason) });
    const survey = await surveyRun(entries, run.files.paths, {
      signal: options.signal,
      onRecord: (record) => options.onRecords(records + record),
    });
    if (options.signal.aborted) return { status: 'stopped' };
    leftOut.push(...secondLogsOf(run.files));
    if (survey.records === 0 && failures.length === before) leftOut.push(...emptyLogsOf(run.files));
    if (survey.records === 0) continue;
    records += survey.records;
    const placed = placeRecords(survey, request);
    if (placed.status === 'ok') runs.push({ ...run, placement: placed.placement });
    else problems.push(needsInterval(run.files.paths[0] ?? '', survey));
  }
  if (problems.length > 0) return { status: 'refused', problems };
  if (runs.length === 0)
    return {
      status: 'unreadable',
      reasons: failures.length > 0 ? failures : [`no log with a record is found at ${request.path}`],
    };
  const firstMs = Math.min(...runs.map(({ placement }) => placement.firstMs));
  const lastMs = Math.max(...runs.map(({ placement }) => placement.lastMs));
  return { status: 'ok', runs, records, firstMs, lastMs, failures, leftOut };
}

const moreLogs = (path: string) =>
  `there are more than ${formatNumber(maxLogs)} logs at ${path}, and the others are left out: replay its folders one by one`;

const secondLogsOf = ({ paths, secondLogs }: RunLogs): readonly LeftOutLog[] =>
  secondLogs.map((path) => ({ path, reason: `another log of the run that is read from ${paths[0]}` }));

const emptyLogsOf = ({ paths }: RunLogs): readonly LeftOutLog[] =>
  paths.map((path) => ({ path, reason: 'no record' }));

const needsInterval = (path: string, { modifiedMs }: Survey) =>
  `${path} does not say when its records were written: give --interval SECONDS, the time between two records, and --start TIME, unless the last one was written at ${new Date(modifiedMs).toISOString()}, the time of the file.`;
