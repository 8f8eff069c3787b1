// npm run soak -- [--snapshots 1000000] [--bridges 4]
// Lets bridges read as many snapshots as a job writes in weeks, each through its whole loop and out to a receiver, and
// looks whether what it costs grows. Prints a line of JSON; fails where memory or series grow, or a snapshot is lost.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runBridge } from '../src/bridge.ts';
import { systemClock } from '../src/clock.ts';
import { readConfig } from '../src/config.ts';
import { createLogger } from '../src/log.ts';
import type { Arrived } from './receiver.ts';

const { values } = parseArgs({ options: { snapshots: { type: 'string' }, bridges: { type: 'string' } } });
const total = Number(values.snapshots ?? 1_000_000);
// Several, because a bridge mostly waits: for the disk, for the receiver, and for the least time a timer has.
const bridges = Number(values.bridges ?? 4);
const each = Math.ceil(total / bridges);
const batchesPerEpoch = 100;

/** Of the memory at the end by that after the first tenth. */
const mostGrowth = 1.05;

/** Before this many snapshots the heap has its size, but V8 and malloc still take room for it: no leak, and noise. */
const settledAfter = 100_000;

const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-soak-'));
const receiver = fork(new URL('./receiver.ts', import.meta.url));
const [{ endpoint }] = (await once(receiver, 'message')) as [{ endpoint: string }];
const started = performance.now();
let taken = 0;
const memory: { readonly rss: number; readonly heap: number }[] = [];
const arrivedAt: Arrived[] = [];

async function arrived(): Promise<Arrived> {
  const answer = once(receiver, 'message');
  receiver.send('report');
  const [report] = (await answer) as [Arrived];
  return report;
}

async function measure(): Promise<void> {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  memory.push({ rss: megabytes(rss), heap: megabytes(heapUsed) });
  arrivedAt.push(await arrived());
  console.error(`${taken} snapshots: ${JSON.stringify(memory.at(-1))}`);
}

const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;

/** A file as a job writes it; `step` counts from 1. */
function content(step: number): string {
  const metrics = {
    epoch: Math.ceil(step / batchesPerEpoch),
    batch_number: ((step - 1) % batchesPerEpoch) + 1,
    training_loss: 1 / step,
    accuracy: 1 - 1 / step,
    processing_time_ms: 200 + (step % 100),
    samples_per_second: 100 + (step % 50),
    grad_norm: step % 7,
  };
  const job_metadata = { job_id: 'soak', start_time: '2025-10-23T10:15:00Z', model_name: 'resnet-50' };
  // A bare NaN now and then, which takes the second pass of the parser.
  const text = JSON.stringify({ job_metadata, training_metrics: { ...metrics, validation_loss: 'V' } });
  return text.replace('"V"', step % 50 === 0 ? 'NaN' : '0.5');
}

async function soak(index: number) {
  const file = join(folder, `${index}.json`);
  const reading = readConfig({
    METRICS_FILE_PATH: file,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    LOG_LEVEL: 'critical',
  });
  if (reading.status === 'invalid') throw new Error(JSON.stringify(reading.problems));
  const controller = new AbortController();
  let step = 1;
  writeFileSync(file, content(step));
  return runBridge({
    config: { ...reading.config, collectionIntervalMs: 0 },
    log: createLogger('critical'),
    clock: systemClock,
    signal: controller.signal,
    hostName: 'soak',
    version: '0.0.0',
    onPoll({ outcome }) {
      if (outcome.status === 'ok') {
        taken += 1;
        if (taken % Math.ceil(total / 10) === 0) measuring = measuring.then(measure);
        if (step === each) return controller.abort();
      }
      // One poll without news at the beginning, because there is one at the end, and it has a series of its own.
      if ((outcome.status === 'ok') === (step === 1)) return;
      step += 1;
      writeFileSync(file, content(step));
    },
  });
}

let measuring = Promise.resolve();
const summaries = await Promise.all(Array.from({ length: bridges }, (_, index) => soak(index)));
await measuring;
const end = await arrived();
receiver.disconnect();
rmSync(folder, { recursive: true });

const [first, last] = [memory[0], memory.at(-1)];
if (first === undefined || last === undefined) throw new Error('too few snapshots to measure anything');
const ratio = (of: 'rss' | 'heap') => Math.round((last[of] / first[of]) * 1000) / 1000;
const growth = { rss: ratio('rss'), heap: ratio('heap') };
const lost = summaries.reduce(
  (sum, { undelivered, exports }) => sum + undelivered + (exports.dropped ?? 0),
  0,
);
const counted = Object.values(end.batches).filter((batches) => batches === each).length;
const [seriesAtFirst, seriesAtLast] = [arrivedAt[0]?.series, end.series];
const seconds = Math.round((performance.now() - started) / 1000);
const series = { seriesAtFirst, seriesAtLast };
console.log(
  JSON.stringify({
    snapshots: taken,
    bridges,
    seconds,
    memory,
    growth,
    ...series,
    requests: end.requests,
    lost,
  }),
);
const isSettled = total / 10 >= settledAfter;
const isFlat =
  growth.heap <= mostGrowth && (!isSettled || growth.rss <= mostGrowth) && seriesAtFirst === seriesAtLast;
if (!isFlat || lost > 0 || counted !== bridges) process.exitCode = 1;
