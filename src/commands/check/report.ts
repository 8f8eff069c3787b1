import type { Resource } from '@opentelemetry/resources';
import { runMetrics } from '../../catalogue/metrics.ts';
import { duration } from '../../cli/terminal/format.ts';
import type { Moment } from '../../common/clock.ts';
import type { Config } from '../../config/bridge.ts';
import { applySnapshot } from '../../run/advance.ts';
import { estimatedRemainingMs, progressOf } from '../../run/estimate.ts';
import type { Run } from '../../run/run.ts';
import { locateJsonSyntaxError } from '../../snapshot/json-syntax-error.ts';
import type { DetectedFormat } from '../../snapshot/log/formats/detect.ts';
import { noMetricsReason } from '../../snapshot/no-metrics.ts';
import { modeText } from '../../snapshot/read-errors.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { type Access, checkAccess, type FileReader } from './access.ts';
import { type Excerpt, excerptAt } from './excerpt.ts';
import { type FieldReport, reportMetrics } from './field.ts';
import type { Content, FileState } from './file-state.ts';
import { adviseOnFrameworkFile } from './framework-files.ts';
import { reportColumns } from './log-columns.ts';
import { reportJobMetadata, reportTopLevel } from './metadata.ts';
import { bridgeSeriesOf, type ExportedMetric, exportedMetrics, type Series, targetLabels } from './series.ts';

/** The result of checking a file once, and the shape of `--output json`. */
export interface Report {
  readonly status: 'usable' | 'unusable';
  readonly file: FileReport;
  /** Why the file cannot be used; empty if it can. */
  readonly problems: readonly ProblemReport[];
  /** Warnings about a usable file. */
  readonly notes: readonly string[];
  /** Labels that every series of the run carries. */
  readonly labels: Series['labels'];
  readonly fields: readonly FieldReport[];
  /** `share` is from 0 to 1. Null if the file does not say how long the run is. */
  readonly progress: { readonly share: number; readonly remainingSeconds?: number } | null;
  /** Metrics of the state of the run, which no field produces directly. */
  readonly runMetrics: readonly ExportedMetric[];
  /** Names of the series of the bridge's own metrics, which have the labels job and instance and their own. */
  readonly bridgeSeries: readonly string[];
}

export interface FileReport {
  readonly path: string;
  /** The outcome that the bridge would count in ml_bridge_snapshots_total. */
  readonly outcome: Content['status'] | 'no_metrics';
  /** `json` is the metrics file; anything else is a log. Absent if there is no content. */
  readonly format?: DetectedFormat;
  readonly bytes?: number;
  /** ISO 8601. */
  readonly modified?: string;
  readonly ageSeconds?: number;
  readonly owner?: { readonly uid: number; readonly gid: number; readonly mode: string };
  /** Whether the bridge may read it. */
  readonly access: {
    readonly uid: number;
    readonly gids: readonly number[];
    readonly status: Access['status'];
  };
}

export interface ProblemReport {
  readonly message: string;
  /** Position of a JSON syntax error. */
  readonly at?: Excerpt;
}

export interface ReportOptions {
  readonly config: Config;
  readonly resource: Resource;
  readonly version: string;
  readonly reader: FileReader;
  readonly now: Moment;
}

export interface CheckResult {
  readonly report: Report;
  /** The state of the run after this snapshot, for the next check. */
  readonly run: Run | undefined;
}

/** Reports on a file, given the run so far. Pure except that it collects from the instruments. */
export async function reportOn(
  fileState: FileState,
  before: Run | undefined,
  options: ReportOptions,
): Promise<CheckResult> {
  const { config, resource, reader, now } = options;
  const access = checkAccess(fileState.pathComponents, reader);
  const modifiedMs = fileState.version && Number(fileState.version.modifiedNs / 1_000_000n);
  const ageMs = modifiedMs === undefined ? undefined : Math.max(0, now.unixMs - modifiedMs);
  const accessProblems = access.status === 'closed' ? [{ message: access.message }] : [];
  const common = {
    file: fileReport(fileState, access, reader, modifiedMs, ageMs),
    bridgeSeries: bridgeSeriesOf(config),
  };
  if (fileState.content.status !== 'ok') {
    const report: Report = {
      status: 'unusable',
      ...common,
      problems: [...readProblems(fileState.path, fileState.content, accessProblems), ...accessProblems],
      notes: [],
      labels: targetLabels(resource),
      fields: [],
      progress: null,
      runMetrics: [],
    };
    return { report, run: before };
  }
  const { document, snapshot, log } = fileState.content;
  // A stale file is reported in a note. Its metrics are shown all the same.
  const policy = {
    ...config,
    staleAfterMs: Number.POSITIVE_INFINITY,
    stallAfterMs: Number.POSITIVE_INFINITY,
  };
  const step = applySnapshot(before, snapshot, { ...now, fileAgeMs: ageMs ?? 0 }, policy);
  const run = step.run as Run;
  const all = await exportedMetrics(run, resource, config, options.version);
  const exported = new Map(all.map((metric) => [metric.name, metric]));
  const metrics = section(document.training_metrics);
  const measured = reportMetrics({
    metrics,
    snapshot,
    run,
    exported,
    maxExtraMetrics: config.maxExtraMetrics,
  });
  const fields = [
    ...(log === undefined || log.columns.size === 0 ? measured : reportColumns(log, measured)),
    ...reportJobMetadata(section(document.job_metadata), snapshot, run),
    ...reportTopLevel(document, snapshot),
  ];
  const frameworkAdvice = adviseOnFrameworkFile(fileState.path);
  const problems = [
    ...accessProblems,
    ...(frameworkAdvice === undefined ? emptyProblems(fields) : [{ message: frameworkAdvice }]),
  ];
  const state = exported.get(runMetrics.state.name);
  const twoWriters = step.events.some(({ kind }) => kind === 'two_writers');
  const report: Report = {
    status: problems.length === 0 ? 'usable' : 'unusable',
    ...common,
    problems,
    notes: fields.some(({ metric }) => metric !== undefined)
      ? [
          ...(log?.notes ?? []),
          ...futureTimes(snapshot, now.unixMs),
          ...staleNotes(ageMs, config),
          // A log does not say which run it is of.
          ...(log === undefined ? identityNotes(run, twoWriters) : logIdentityNotes(run)),
        ]
      : [],
    labels: Object.fromEntries(
      Object.entries(state?.series[0]?.labels ?? targetLabels(resource)).filter(([name]) => name !== 'state'),
    ),
    fields,
    progress: progressReport(run),
    runMetrics: Object.values(runMetrics).flatMap(({ name }) => exported.get(name) ?? []),
  };
  return { report, run };
}

function progressReport(run: Run): Report['progress'] {
  const [share, ms] = [progressOf(run), estimatedRemainingMs(run)];
  if (share === undefined) return null;
  return { share, ...(ms === undefined ? {} : { remainingSeconds: Math.round(ms / 1000) }) };
}

function section(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function fileReport(
  fileState: FileState,
  access: Access,
  reader: FileReader,
  modifiedMs: number | undefined,
  ageMs: number | undefined,
): FileReport {
  const file = fileState.pathComponents.findLast(({ kind }) => kind === 'file');
  return {
    path: fileState.path,
    outcome: outcomeOf(fileState.content),
    ...(fileState.content.status === 'ok' ? { format: fileState.content.log?.preset ?? 'json' } : {}),
    ...(fileState.version === undefined ? {} : { bytes: Number(fileState.version.size) }),
    ...(modifiedMs === undefined ? {} : { modified: new Date(modifiedMs).toISOString() }),
    ...(ageMs === undefined ? {} : { ageSeconds: Math.round(ageMs / 100) / 10 }),
    ...(file === undefined ? {} : { owner: { uid: file.uid, gid: file.gid, mode: modeText(file.mode) } }),
    access: { ...reader, status: access.status },
  };
}

function outcomeOf(content: Content): FileReport['outcome'] {
  if (content.status !== 'ok') return content.status;
  return noMetricsReason(content.document, content.snapshot) === undefined ? 'ok' : 'no_metrics';
}

function readProblems(
  path: string,
  content: Exclude<Content, { status: 'ok' }>,
  accessProblems: readonly ProblemReport[],
): readonly ProblemReport[] {
  if (content.status === 'malformed') {
    const error = locateJsonSyntaxError(content.bytes);
    return error === undefined
      ? [{ message: content.reason }]
      : [{ message: error.message, at: excerptAt(error.text, error.offset) }];
  }
  const advice = adviseOnFrameworkFile(path);
  if (advice !== undefined && content.status === 'too_large') return [{ message: advice }];
  // The access problem already says that it cannot be read.
  return content.status === 'unreadable' && accessProblems.length > 0
    ? []
    : [{ message: `${content.reason}${hintFor(content)}` }];
}

function hintFor(content: Exclude<Content, { status: 'ok' }>): string {
  if (content.status === 'missing' && content.onlyWriterUid !== undefined)
    return ': nothing was written yet, or the path is wrong, or the training runs as another user. In the last case, set the mode of the folder to 0777';
  return hints[content.status] ?? '';
}

const hints: Partial<Record<Content['status'], string>> = {
  missing: ': nothing was written yet, or the path is wrong. METRICS_FILE_PATH or check FILE names another',
  not_a_file: ': give the path of the file itself',
  too_large: ': it should hold only the latest values, no history',
};

function emptyProblems(fields: readonly FieldReport[]): readonly ProblemReport[] {
  if (fields.some(({ metric }) => metric !== undefined)) return [];
  return fields.some((field) => field.section === 'training_metrics')
    ? [{ message: 'No field of training_metrics produces a metric.' }]
    : [
        {
          message:
            'training_metrics is missing or empty. Example: {"training_metrics": {"training_loss": 1.5}}.',
        },
      ];
}

/** Tolerance for clocks that are not quite the same. */
const clockSkewMs = 60_000;

function futureTimes({ timestampMs, job }: Snapshot, nowMs: number): readonly string[] {
  const times = { timestamp: timestampMs, 'job_metadata.start_time': job.startTimeMs };
  return Object.entries(times).flatMap(([field, timeMs = 0]) =>
    timeMs <= nowMs + clockSkewMs
      ? []
      : [
          `${field} is ${new Date(timeMs).toISOString()}, ${duration(timeMs - nowMs)} in the future: write the time with its zone, or check the clock.`,
        ],
  );
}

const staleNotes = (ageMs = 0, { staleAfterMs }: Config): readonly string[] =>
  ageMs < staleAfterMs
    ? []
    : [
        `The file was last written ${duration(ageMs)} ago, longer than STALE_AFTER (${duration(staleAfterMs)}): its gauges are not exported until it is written again.`,
      ];

const logIdentityNotes = ({ identity }: Run): readonly string[] =>
  identity.jobId === undefined
    ? ['No folder of the path names the job: set JOB_ID, or the series have no label job_id.']
    : [];

function identityNotes({ identity }: Run, twoWriters: boolean): readonly string[] {
  const notes: string[] = [];
  if (identity.jobId === undefined)
    notes.push('job_metadata.job_id is missing: the series have no label job_id to tell jobs apart.');
  if (identity.startTimeMs === undefined)
    notes.push(
      'job_metadata.start_time is missing: a restart of the job is detected only if its epoch decreases.',
    );
  if (twoWriters) notes.push('Two jobs write this file: give each job its own file.');
  return notes;
}
