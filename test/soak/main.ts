// npm run soak -- [--snapshots 1000000]
// Lets a bridge read as many snapshots as a job writes in weeks, through its whole loop and out to a receiver, and looks
// whether what it costs grows. Prints a line of JSON; fails where memory or series grow, or a snapshot is lost.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readStages } from '../../bench/support/dockerfile.ts';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { buildSidecar } from '../../tools/build/bundle.ts';
import type { Message } from './bridge.ts';

const { values } = parseArgs({ options: { snapshots: { type: 'string', default: '1000000' } } });

const snapshots = Number(values.snapshots);
if (!Number.isSafeInteger(snapshots) || snapshots < 10)
  throw new RangeError(`--snapshots has to be a whole number from 10 on, but is ${values.snapshots}`);

/** Of the memory at the end by that after the first tenth. */
const mostGrowth = 1.05;

const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-soak-'));
const started = performance.now();

/** Distinct, by metric and attributes; those that came and went count as well. */
const series = new Set<string>();
let batches = 0;
let requests = 0;
const receiver = await startReceiver({
  keep: 0,
  onRequest({ points }) {
    requests += 1;
    for (const { metric, attributes, value } of points) {
      series.add(`${metric} ${JSON.stringify(attributes)}`);
      if (metric === 'ml.training.batch_number') batches = Math.max(batches, value);
    }
  },
});

await buildSidecar(folder, 'test/soak/bridge.ts');
const image = readStages(readFileSync('Dockerfile', 'utf8')).at(-1);
const mallocSettings = Object.entries(image?.environment ?? {}).filter(([name]) =>
  name.startsWith('MALLOC_'),
);
const bridge = fork(
  join(folder, 'bridge.cjs'),
  ['--file', join(folder, 'current.json'), '--endpoint', receiver.endpoint, '--snapshots', String(snapshots)],
  {
    execArgv: ['--expose-gc', ...(image?.entrypoint ?? []).filter((arg) => arg.startsWith('--'))],
    // Of the image only what is about memory: its paths are not here.
    env: { ...process.env, ...Object.fromEntries(mallocSettings) },
  },
);

const memory: { readonly rss: number; readonly heap: number }[] = [];
const seriesThen: number[] = [];
let end = { taken: 0, lost: Number.NaN };
bridge.on('message', (message: Message) => {
  if (message.status === 'ended') {
    end = message;
    return;
  }
  memory.push({ rss: megabytes(message.rss), heap: megabytes(message.heap) });
  seriesThen.push(series.size);
  console.error(`${message.taken} snapshots: ${JSON.stringify(memory.at(-1))}, ${series.size} series`);
});
await once(bridge, 'close');
await receiver.stop();
rmSync(folder, { recursive: true });

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}

const [first, last] = [memory[0], memory.at(-1)];
if (first === undefined || last === undefined)
  throw new Error('the bridge ended before anything was measured');
const ratio = (of: 'rss' | 'heap') => Math.round((last[of] / first[of]) * 1000) / 1000;
const growth = { rss: ratio('rss'), heap: ratio('heap') };
const [seriesAtFirst, seriesAtLast] = [seriesThen[0], series.size];
console.log(
  JSON.stringify({
    ...end,
    seconds: Math.round((performance.now() - started) / 1000),
    memory,
    growth,
    seriesAtFirst,
    seriesAtLast,
    requests,
  }),
);
const isFlat = growth.heap <= mostGrowth && growth.rss <= mostGrowth && seriesAtFirst === seriesAtLast;
const isWhole = end.taken === snapshots && batches === end.taken && end.lost === 0;
if (!isFlat || !isWhole) process.exitCode = 1;
