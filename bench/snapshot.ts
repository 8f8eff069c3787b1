// What one snapshot costs in the code: parse, run, observe; and how that grows with the number of metrics.
import { emptyResource } from '@opentelemetry/resources';
import { applySnapshot } from '../src/run/advance.ts';
import type { Run, RunPolicy } from '../src/run/run.ts';
import { parseMetricsFile } from '../src/snapshot/interpret.ts';
import { createRunInstruments } from '../src/telemetry/instruments.ts';
import { snapshotOf } from '../test/support/snapshot.ts';
import type { Measured } from '../tools/generate/tables/performance.ts';
import { readOptions } from './support/options.ts';
import { publish } from './support/result.ts';
import { measured, median, significant } from './support/statistics.ts';

/** `snapshots` are those of one round, of each size. */
const options = readOptions({ rounds: 15, snapshots: 200 });
const sizes = [0, 10, 100, 1_000];

const policy: RunPolicy = { staleAfterMs: 3e5, stallAfterMs: 6e5, maxExtraMetrics: 1_000, rank: undefined };
const phases = ['parse', 'run', 'observe'] as const;
type Times = Record<(typeof phases)[number], number>;

function fileOf(step: number, extras: number): Buffer {
  const own = Array.from({ length: extras }, (_, at) => [`extra_${at}`, at + step / 7]);
  const metrics = {
    epoch: 1 + Math.floor(step / 1_000),
    batch_number: 1 + (step % 1_000),
    training_loss: 1.2345 / (step + 1),
    validation_loss: 1.3456,
    accuracy: 0.6789,
    learning_rate: 0.000857375,
    gpu_utilization: 0.923,
    processing_time_ms: 238,
    samples_per_second: 134.45,
    ...Object.fromEntries(own),
  };
  const job = {
    job_id: 'training-job-001',
    model_name: 'resnet-50',
    dataset: 'imagenet',
    start_time: '2025-10-23T10:15:00.000000+00:00',
  };
  return Buffer.from(
    JSON.stringify({
      timestamp: '2025-10-23T10:30:45.123456+00:00',
      job_metadata: job,
      training_metrics: metrics,
    }),
  );
}

/** One run with so many metrics of its own, that goes on from round to round. */
function createJob(extras: number) {
  const instruments = createRunInstruments(emptyResource(), 'explicit_bucket_histogram', '0.0.0');
  let run: Run | undefined;
  let step = 0;
  return async (snapshots: number): Promise<Times> => {
    const times: Times = { parse: 0, run: 0, observe: 0 };
    for (let n = 0; n < snapshots; n++) {
      const bytes = fileOf(step++, extras);
      const begun = performance.now();
      const snapshot = snapshotOf(parseMetricsFile(bytes));
      const parsed = performance.now();
      const now = { unixMs: 1_700_000_000_000 + step * 1_000, monotonicMs: step * 1_000, fileAgeMs: 0 };
      run = applySnapshot(run, snapshot, now, policy).run;
      const advanced = performance.now();
      instruments.setRun(run);
      instruments.record(snapshot);
      await instruments.collect();
      const observed = performance.now();
      times.parse += parsed - begun;
      times.run += advanced - parsed;
      times.observe += observed - advanced;
    }
    for (const phase of phases) times[phase] = (times[phase] * 1_000) / snapshots;
    return times;
  };
}

const jobs = sizes.map((extras) => ({ extras, measure: createJob(extras), rounds: [] as Times[] }));
// Size by size, because each would pay for the garbage of the one before it; two rounds first, for the compiler.
for (const { measure, rounds } of jobs)
  for (let round = -2; round < options.rounds; round++) {
    const times = await measure(options.snapshots);
    if (round >= 0) rounds.push(times);
  }

const sum = ({ parse, run, observe }: Times) => parse + run + observe;
const total = (rounds: readonly Times[]) => median(rounds.map(sum));
const cell = (rounds: readonly Times[], pick: (times: Times) => number): Measured =>
  measured(rounds.map(pick), 'µs');
const costs = jobs.map(({ extras, rounds }) => ({ extras, us: total(rounds) }));
/** Microseconds of one metric more, between two sizes. */
const slope = (from: number, to: number) => {
  const [a, b] = [costs[from], costs[to]];
  return a && b ? (b.us - a.us) / (b.extras - a.extras) : Number.NaN;
};

publish('snapshot', options, {
  tables: [
    {
      title: 'Time of one snapshot',
      columns: ['Metrics beyond the nine', 'Parse', 'Run', 'Observe', 'Together'],
      rows: jobs.map(({ extras, rounds }) => ({
        label: String(extras),
        cells: [...phases.map((phase) => cell(rounds, (times) => times[phase])), cell(rounds, sum)],
      })),
    },
  ],
  targets: [
    {
      what: 'Parse, run and observe one snapshot',
      unit: 'µs',
      atMost: 100,
      measured: significant(costs[0]?.us ?? Number.NaN),
    },
    {
      what: 'Cost of one metric more, from 100 to 1,000 of them beside from 10 to 100',
      unit: '×',
      atMost: 1.5,
      measured: significant(slope(2, 3) / slope(1, 2)),
    },
  ],
});
