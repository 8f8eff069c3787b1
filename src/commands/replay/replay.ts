import type { Resource } from '@opentelemetry/resources';
import { systemClock } from '../../common/clock.ts';
import type { Config } from '../../config/bridge.ts';
import type { PlannedRun, ReplayPlan } from './plan.ts';
import { readRun } from './read-run.ts';
import { createRunPoints } from './run-points.ts';
import type { RunSpans } from './run-spans.ts';
import type { RecordData, Sink, SinkResult } from './sink.ts';
import type { Tally } from './tally.ts';

export interface ReplayOptions {
  readonly config: Config;
  readonly resource: Resource;
  readonly version: string;
  /** Number of the first record that is sent; the state of the run is made from those before it, too. */
  readonly from: number;
  /** Undefined if no spans are made. */
  readonly spans: RunSpans | undefined;
  readonly sink: Sink;
  readonly tally: Tally;
  readonly signal: AbortSignal;
  /** Called with the number of each record. */
  readonly onRecord: (record: number) => void;
}

/** Reads all records once more, and gives their points to the sink. */
export async function replay(plan: ReplayPlan, options: ReplayOptions): Promise<SinkResult> {
  let record = 0;
  for (const run of plan.runs) {
    const result = await replayRun(run, record, options);
    if (result.status !== 'ok') return result;
    record = result.record;
  }
  return options.sink.finish();
}

type RunResult =
  | { readonly status: 'ok'; readonly record: number }
  | Exclude<SinkResult, { readonly status: 'ok' }>;

/** @param before number of the last record of the runs before */
async function replayRun(run: PlannedRun, before: number, options: ReplayOptions): Promise<RunResult> {
  const { config, resource, version, from, spans, sink, tally, signal, onRecord } = options;
  const { files, jobId, placement } = run;
  const follow = spans?.followLog();
  const points = createRunPoints({
    config,
    resource,
    version,
    jobId,
    onTransition(transition, snapshot, now) {
      tally.applied(snapshot, transition.events);
      follow?.(transition, snapshot, now);
    },
  });
  const dataOf = (metrics: RecordData['metrics']): RecordData => {
    const data = { metrics, spans: spans?.take() ?? [] };
    tally.traced(data.spans);
    return data;
  };
  const failures: string[] = [];
  const entries = readRun(files, {
    clock: systemClock,
    format: config.metricsFileFormat,
    onSkipped: () => undefined,
    onFailure: (reason) => void failures.push(reason),
  });
  let record = before;
  for await (const entry of entries) {
    if (signal.aborted) return { status: 'stopped' };
    record++;
    const timeMs = placement.timeOf(entry);
    const data = dataOf(await points.of(entry, timeMs));
    tally.exported(data.metrics, timeMs);
    onRecord(record);
    if (record < from) continue;
    const result = await sink.add(data, record);
    if (result.status !== 'ok') return result;
  }
  const [reason] = failures;
  if (reason !== undefined) return { status: 'failed', reason };
  const end = dataOf(await points.end());
  // The end may not have arrived with the last record, which was the one before `from`.
  const result = record < from - 1 ? ok : await sink.add(end, record);
  return result.status === 'ok' ? { status: 'ok', record } : result;
}

const ok: SinkResult = { status: 'ok' };
