// npm run soak -- [--snapshots 1000000] [--source json|jsonl|csv] [--telegraf]
// Lets a bridge read as many snapshots as a job writes in weeks, through its whole loop and out to a receiver, and looks
// whether what it costs grows. The metrics file is written anew for each; a log is appended to, a tenth at a time, and with
// --telegraf followed by Telegraf as well. Prints a line of JSON; fails where memory or series grow, or a snapshot is lost.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readStages } from '../../bench/support/dockerfile.ts';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { buildSidecar } from '../../tools/build/bundle.ts';
import type { Message } from './measure.ts';
import { logWriters, timeOfStep } from './records.ts';
import { startTelegraf } from './telegraf.ts';

const { values } = parseArgs({
  options: {
    snapshots: { type: 'string', default: '1000000' },
    source: { type: 'string', default: 'json' },
    telegraf: { type: 'boolean', default: false },
  },
});

const snapshots = Number(values.snapshots);
if (!Number.isSafeInteger(snapshots) || snapshots < 10)
  throw new RangeError(`--snapshots has to be a whole number from 10 on, but is ${values.snapshots}`);

const source = readSource(values.source);

/** Of the memory at the end by that after the first tenth. */
const mostGrowth = 1.05;
/** What is resident in a burst of records of a log, most of it garbage that V8 has not collected yet. */
const mostInBurstMb = 160;

const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-soak-'));
const started = performance.now();

/** Distinct, by metric and attributes; those that came and went count as well. */
const series = new Set<string>();
let batches = 0;
let requests = 0;
/** Records of a log that arrived at their own time, in order. */
let records = 0;
const receiver = await startReceiver({
  keep: 0,
  onRequest({ points }) {
    requests += 1;
    for (const { metric, attributes, value, timeMs } of points) {
      series.add(`${metric} ${JSON.stringify(attributes)}`);
      if (metric === 'ml.training.batch_number') batches = Math.max(batches, value);
      if (metric === 'ml.training.loss' && timeMs === timeOfStep(records + 1) && value === records + 1.5)
        records += 1;
    }
  },
});

const file = join(folder, source === 'json' ? 'current.json' : `log.${source}`);
const tenth = Math.ceil(snapshots / 10);
let written = 0;

/** The next tenth of a log. */
function append(): void {
  if (source === 'json') return;
  const { header, record } = logWriters[source];
  if (written === 0) appendFileSync(file, header);
  const steps = Math.min(tenth, snapshots - written);
  appendFileSync(file, Array.from({ length: steps }, (_, index) => record(written + index + 1)).join(''));
  written += steps;
}

const program = source === 'json' ? 'bridge' : 'log-bridge';
append();
await buildSidecar(folder, `test/soak/${program}.ts`);
const image = readStages(readFileSync('Dockerfile', 'utf8')).at(-1);
const mallocSettings = Object.entries(image?.environment ?? {}).filter(([name]) =>
  name.startsWith('MALLOC_'),
);
const bridge = fork(
  join(folder, `${program}.cjs`),
  ['--file', file, '--endpoint', receiver.endpoint, '--snapshots', String(snapshots)],
  {
    execArgv: ['--expose-gc', ...(image?.entrypoint ?? []).filter((arg) => arg.startsWith('--'))],
    // Of the image only what is about memory: its paths are not here.
    env: { ...process.env, ...Object.fromEntries(mallocSettings) },
  },
);

const telegraf = values.telegraf && source !== 'json' ? await startTelegraf(file, source, folder) : undefined;
/** CPU time of the bridge up to each measurement. */
const cpuMs: number[] = [];
const memory: { readonly rss: number; readonly heap: number; readonly peak: number }[] = [];
/** Series after the first tenth. */
let seriesAtFirst: ReadonlySet<string> | undefined;
let end = { taken: 0, lost: Number.NaN };
bridge.on('message', (message: Message) => {
  if (message.status === 'ended') {
    end = message;
    return;
  }
  const { rss, heap, peak } = message;
  cpuMs.push(message.cpuMs);
  memory.push({ rss: megabytes(rss), heap: megabytes(heap), peak: megabytes(peak) });
  seriesAtFirst ??= new Set(series);
  console.error(`${message.taken} snapshots: ${JSON.stringify(memory.at(-1))}, ${series.size} series`);
  append();
});
await once(bridge, 'close');
await telegraf?.sent(snapshots);
const besideUsage = telegraf?.usage();
await telegraf?.stop();
await receiver.stop();
rmSync(folder, { recursive: true });

function readSource(name: string): 'json' | keyof typeof logWriters {
  if (name === 'json' || name === 'jsonl' || name === 'csv') return name;
  throw new RangeError(`--source has to be json, jsonl or csv, but is ${name}`);
}

/** Microseconds for each of some snapshots. */
function microsOf(ms: number, count: number): number {
  return Math.round((ms / count) * 10_000) / 10;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}

const [first, last] = [memory[0], memory.at(-1)];
if (first === undefined || last === undefined)
  throw new Error('the bridge ended before anything was measured');
const ratio = (of: 'rss' | 'heap') => Math.round((last[of] / first[of]) * 1000) / 1000;
const growth = { rss: ratio('rss'), heap: ratio('heap') };
/** A metric that is first exported late is as much growth as one with another attribute: both are named. */
const newSeries = [...series].filter((it) => !seriesAtFirst?.has(it));
console.log(
  JSON.stringify({
    source,
    ...end,
    ...(source !== 'json' && { records }),
    seconds: Math.round((performance.now() - started) / 1000),
    memory,
    growth,
    series: series.size,
    newSeries,
    requests,
    cpuMicrosPerSnapshot: cpuMs.map((ms, index) => microsOf(ms - (cpuMs[index - 1] ?? 0), tenth)),
    ...(besideUsage && {
      telegraf: { records: besideUsage.records, cpuMicrosPerRecord: microsOf(besideUsage.cpuMs, snapshots) },
    }),
  }),
);
const isFlat =
  growth.heap <= mostGrowth &&
  growth.rss <= mostGrowth &&
  newSeries.length === 0 &&
  (source === 'json' || last.peak <= mostInBurstMb);
const isWhole =
  end.taken === snapshots &&
  batches === end.taken &&
  end.lost === 0 &&
  (source === 'json' || records === snapshots);
if (!isFlat || !isWhole) process.exitCode = 1;
