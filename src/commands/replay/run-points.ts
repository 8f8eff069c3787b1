import type { Resource } from '@opentelemetry/resources';
import type { ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { runMetrics } from '../../catalogue/metrics.ts';
import type { Config } from '../../config/bridge.ts';
import { applySnapshot, endRun } from '../../run/advance.ts';
import type { PollTime, Run, RunPolicy, Transition } from '../../run/run.ts';
import { withJob } from '../../snapshot/log/identity.ts';
import type { LogEntry } from '../../snapshot/log/log-file.ts';
import { followRun, type LogRun } from '../../snapshot/log/log-run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { createRunInstruments, type RunInstruments } from '../../telemetry/instruments.ts';
import { stamp } from '../../telemetry/stamp.ts';

/** Makes data points of the records of one log, each at the record's time. */
export interface RunPoints {
  /** Call it once for each record, in order. Times are Unix milliseconds. */
  of(entry: LogEntry, timeMs: number): Promise<readonly ResourceMetrics[]>;
  /** After the last record: the state of the run that has ended. */
  end(): Promise<readonly ResourceMetrics[]>;
}

/** Called for each record with what it made of the run, and at the end without a record. */
export type OnTransition = (transition: Transition, snapshot: Snapshot | undefined, now: PollTime) => void;

export interface RunPointsOptions {
  readonly config: Config;
  readonly resource: Resource;
  readonly version: string;
  readonly jobId: string | undefined;
  readonly onTransition: OnTransition;
}

/** An unchanged state is repeated this often. Prometheus looks back 5 minutes for a value. */
const stateIntervalMs = 60_000;

/**
 * A record's gauges are those it holds. Counters and histograms are those of the run up to the record, and the state is
 * what it was then.
 */
export function createRunPoints(options: RunPointsOptions): RunPoints {
  const { config, resource, version, onTransition } = options;
  const { histogramAggregation } = config;
  const policy: RunPolicy = { ...config, content: 'records' };
  const job = { jobId: options.jobId, modelName: config.modelName, dataset: config.dataset };
  let logRun: LogRun | undefined;
  let run: Run | undefined;
  let instruments: RunInstruments | undefined;
  let startedMs = 0;
  let lastMs = 0;
  let nextStateMs = Number.NEGATIVE_INFINITY;

  const at = (scopeMetrics: readonly ScopeMetrics[], timeMs: number): ResourceMetrics => ({
    resource,
    scopeMetrics: stamp(scopeMetrics, timeMs, startedMs),
  });

  const pollTimeAt = (unixMs: number): PollTime => ({ unixMs, monotonicMs: unixMs, fileAgeMs: 0 });

  /** One millisecond after the last record, because the state cannot have two values at one time. */
  async function stateOf(ended: Run): Promise<readonly ResourceMetrics[]> {
    instruments?.setRun(ended);
    const scopes = (await instruments?.collect()) ?? [];
    return [at(scopes.map(onlyState), lastMs + 1)];
  }

  return {
    async of(entry, timeMs) {
      logRun = followRun(logRun, entry, timeMs);
      const snapshot = { ...withJob(entry.snapshot, job, logRun.startTimeMs), timestampMs: timeMs };
      const now = pollTimeAt(timeMs);
      const transition = applySnapshot(run, snapshot, now, policy);
      onTransition(transition, snapshot, now);
      const before: ResourceMetrics[] = [];
      for (const event of transition.events) {
        if (event.kind === 'run_ended' && event.reason === 'replaced' && timeMs > lastMs + 1)
          before.push(...(await stateOf(event.run)));
        if (event.kind !== 'run_began') continue;
        instruments = createRunInstruments({ resource, histogramAggregation, version });
        startedMs = timeMs;
        nextStateMs = Number.NEGATIVE_INFINITY;
      }
      run = transition.run;
      if (run?.applied !== snapshot || instruments === undefined) return before;
      instruments.setRun({ ...run, latest: snapshot });
      instruments.record(snapshot);
      const isStateDue = timeMs >= nextStateMs;
      if (isStateDue) nextStateMs = timeMs + stateIntervalMs;
      lastMs = timeMs;
      return [...before, at(await instruments.collect(isStateDue ? 'full' : 'values'), timeMs)];
    },
    async end() {
      if (run === undefined) return [];
      const ended = endRun(run, 'stopped');
      onTransition(ended, undefined, pollTimeAt(lastMs));
      return stateOf(ended.run);
    },
  };
}

const onlyState = ({ scope, metrics }: ScopeMetrics): ScopeMetrics => ({
  scope,
  metrics: metrics.filter(({ descriptor }) => descriptor.name === runMetrics.state.name),
});
