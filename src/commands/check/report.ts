import type { Resource } from '@opentelemetry/resources';
import { bridgeMetrics, runMetrics } from '../../catalogue/metrics.ts';
import { prometheusName } from '../../catalogue/prometheus-name.ts';
import type { Moment } from '../../common/clock.ts';
import type { Config } from '../../config/bridge.ts';
import { applySnapshot } from '../../run/advance.ts';
import type { Run } from '../../run/run.ts';
import { locateJsonSyntaxError } from '../../snapshot/json-syntax-error.ts';
import { type Access, accessOf, modeText, type Reader } from './access.ts';
import { type Excerpt, excerptAt } from './excerpt.ts';
import { type FieldReport, reportMetrics } from './field.ts';
import type { Content, Look } from './look.ts';
import { reportJob, reportTopLevel } from './metadata.ts';
import { type ExportedMetric, exportedMetrics, type Series, targetLabels } from './series.ts';

/** Everything `check` has to say about one look at the file. This is also the shape of `--output json`. */
export interface Report {
  readonly status: 'usable' | 'unusable';
  readonly file: FileReport;
  /** Why the file cannot be used; empty where it can. */
  readonly problems: readonly ProblemReport[];
  /** What a person should know although the file can be used. */
  readonly notes: readonly string[];
  /** Labels that every series of the run carries. */
  readonly labels: Series['labels'];
  readonly fields: readonly FieldReport[];
  /** What is exported beside the fields: the state of the run. */
  readonly runMetrics: readonly ExportedMetric[];
  /** Names of the series about the bridge itself, which carry the labels job and instance and their own. */
  readonly bridgeSeries: readonly string[];
}

export interface FileReport {
  readonly path: string;
  /** How the bridge would count this look in ml_bridge_snapshots_total. */
  readonly outcome: Content['status'];
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
  /** Where in the file, for what is no JSON. */
  readonly at?: Excerpt;
}

export interface ReportOptions {
  readonly config: Config;
  readonly resource: Resource;
  readonly version: string;
  readonly reader: Reader;
  readonly now: Moment;
}

export interface Checked {
  readonly report: Report;
  /** The run as it goes on from here, for the next look. */
  readonly run: Run | undefined;
}

/** From a look at the file, and the run so far, to what there is to say. Pure but for asking the instruments. */
export async function reportOn(
  look: Look,
  before: Run | undefined,
  options: ReportOptions,
): Promise<Checked> {
  const { config, resource, reader, now } = options;
  const access = accessOf(look.way, reader);
  const modifiedMs = look.version && Number(look.version.modifiedNs / 1_000_000n);
  const ageMs = modifiedMs === undefined ? undefined : Math.max(0, now.unixMs - modifiedMs);
  const barred = access.status === 'closed' ? [{ message: access.message }] : [];
  const common = {
    file: fileReport(look, access, reader, modifiedMs, ageMs),
    bridgeSeries: Object.values(bridgeMetrics).map(prometheusName),
  };
  if (look.content.status !== 'ok') {
    const report: Report = {
      status: 'unusable',
      ...common,
      problems: [...whyUnread(look.content, barred), ...barred],
      notes: [],
      labels: targetLabels(resource),
      fields: [],
      runMetrics: [],
    };
    return { report, run: before };
  }
  const { document, snapshot } = look.content;
  // Whether the file is fresh is said in a note; what it would export is to be seen in any case.
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
  const fields = [
    ...reportMetrics({ metrics, snapshot, run, exported, maxExtraMetrics: config.maxExtraMetrics }),
    ...reportJob(section(document.job_metadata), snapshot, run),
    ...reportTopLevel(document, snapshot),
  ];
  const problems = [...barred, ...nothingComes(fields)];
  const state = exported.get(runMetrics.state.name);
  const twoWriters = step.events.some(({ kind }) => kind === 'two_writers');
  const report: Report = {
    status: problems.length === 0 ? 'usable' : 'unusable',
    ...common,
    problems,
    notes: fields.some(({ metric }) => metric !== undefined) ? notesOn(run, ageMs, config, twoWriters) : [],
    labels: Object.fromEntries(
      Object.entries(state?.series[0]?.labels ?? targetLabels(resource)).filter(([name]) => name !== 'state'),
    ),
    fields,
    runMetrics: Object.values(runMetrics).flatMap(({ name }) => exported.get(name) ?? []),
  };
  return { report, run };
}

function section(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function fileReport(
  look: Look,
  access: Access,
  reader: Reader,
  modifiedMs: number | undefined,
  ageMs: number | undefined,
): FileReport {
  const file = look.way.findLast(({ kind }) => kind === 'file');
  return {
    path: look.path,
    outcome: look.content.status,
    ...(look.version === undefined ? {} : { bytes: Number(look.version.size) }),
    ...(modifiedMs === undefined ? {} : { modified: new Date(modifiedMs).toISOString() }),
    ...(ageMs === undefined ? {} : { ageSeconds: Math.round(ageMs / 100) / 10 }),
    ...(file === undefined ? {} : { owner: { uid: file.uid, gid: file.gid, mode: modeText(file.mode) } }),
    access: { ...reader, status: access.status },
  };
}

function whyUnread(
  content: Exclude<Content, { status: 'ok' }>,
  barred: readonly ProblemReport[],
): readonly ProblemReport[] {
  if (content.status === 'malformed') {
    const fault = locateJsonSyntaxError(content.bytes);
    return fault === undefined
      ? [{ message: content.reason }]
      : [{ message: fault.message, at: excerptAt(fault.text, fault.offset) }];
  }
  // That this process may not read it either is the same news twice.
  return content.status === 'unreadable' && barred.length > 0
    ? []
    : [{ message: `${content.reason}${whatToDo[content.status] ?? ''}` }];
}

const whatToDo: Partial<Record<Content['status'], string>> = {
  missing: ': nothing was written yet, or METRICS_FILE_PATH names another place',
  not_a_file: ': METRICS_FILE_PATH is the path of the file itself',
  too_large: ': it holds the latest numbers only, no history',
};

function nothingComes(fields: readonly FieldReport[]): readonly ProblemReport[] {
  if (fields.some(({ metric }) => metric !== undefined)) return [];
  return fields.some((field) => field.section === 'training_metrics')
    ? [{ message: 'Nothing in training_metrics becomes a metric.' }]
    : [
        {
          message:
            'There is nothing in training_metrics: {"training_metrics": {"training_loss": 1.5}} would do.',
        },
      ];
}

function notesOn({ identity }: Run, ageMs = 0, config: Config, twoWriters: boolean): readonly string[] {
  const notes: string[] = [];
  if (ageMs >= config.staleAfterMs)
    notes.push(
      `The file was last written ${duration(ageMs)} ago, longer than STALE_AFTER (${duration(config.staleAfterMs)}): its gauges are exported again when it is written.`,
    );
  if (identity.jobId === undefined)
    notes.push(
      'Without job_metadata.job_id the series have no label job_id: jobs cannot be told apart by it.',
    );
  if (identity.startTimeMs === undefined)
    notes.push('Without job_metadata.start_time a restart of the job is seen only where its epoch falls.');
  if (twoWriters) notes.push('Two jobs write this file in turn: give each a file of its own.');
  return notes;
}

/** A duration as a person says it: one unit, rounded. */
export function duration(ms: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const;
  const [name, size] = units.find(([, length]) => ms >= 2 * length) ?? ['second', 1000];
  const count = size === 1000 && ms < 9_950 ? Math.round(ms / 100) / 10 : Math.round(ms / size);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
