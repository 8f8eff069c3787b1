// How fast `replay` is, and how much memory it takes, beside promtool's import of the same records. Needs otelcol-contrib and promtool on the PATH.
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgram, takesConnections } from '../test/e2e/program.ts';
import { freePort } from '../test/support/port.ts';
import { bundle } from '../tools/build/bundle.ts';
import type { Program } from './support/bundle.ts';
import { readOptions } from './support/options.ts';
import { publish } from './support/result.ts';
import { type RunCost, runToEnd } from './support/run-to-end.ts';
import { measured, significant } from './support/statistics.ts';

const options = readOptions({ records: 1_000_000, fewer: 100_000 });
/** As a trainer that logs ten steps a second. */
const recordMs = 100;

const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-bench-'));
const environment = { TMPDIR: folder };

const line = (step: number, timeMs: number) =>
  `{"timestamp": ${timeMs / 1000}, "step": ${step}, "epoch": ${1 + Math.floor(step / 10_000)}, ` +
  `"loss": ${3 / Math.sqrt(step)}, "learning_rate": ${1e-3 * 0.999999 ** step}, "grad_norm": ${1 + Math.sin(step / 100)}}\n`;

/** A log whose last record is of now. */
async function writeLog(path: string, records: number): Promise<void> {
  const startMs = Date.now() - records * recordMs;
  const file = createWriteStream(path);
  for (let step = 1; step <= records; step++)
    if (!file.write(line(step, startMs + step * recordMs))) await once(file, 'drain');
  file.end();
  await once(file, 'close');
}

/** A Collector that drops everything after it has acknowledged it. */
async function startCollector() {
  const port = await freePort();
  const config = {
    receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { debug: {} },
    service: {
      telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
      pipelines: { metrics: { receivers: ['otlp'], exporters: ['debug'] } },
    },
  };
  const { stop } = await startProgram({
    program: 'otelcol-contrib',
    args: [`--config=yaml:${JSON.stringify(config)}`],
    isReady: () => takesConnections(port),
  });
  return { endpoint: `http://127.0.0.1:${port}`, stop };
}

const replay = (...args: readonly string[]): Program => ({
  command: process.execPath,
  args: [join(folder, 'app', 'main.cjs'), 'replay', '--job-id', 'bench', ...args],
  environment,
});

const promtool = (...args: readonly string[]): Program => ({
  command: 'promtool',
  args: ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', ...args],
  environment,
});

/** How many samples of the loss a file of OpenMetrics has. */
async function countLosses(path: string): Promise<number> {
  let count = 0;
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    count += lines.filter((text) => text.startsWith('ml_training_loss{')).length;
  }
  return count;
}

/** Bytes that stay in memory while a log is written as text. */
async function measureKeptMemory(log: string): Promise<number> {
  const file = join(folder, 'kept-memory');
  const { args, ...program } = replay('--output', join(folder, 'kept.om'), log);
  const preload = [
    '--expose-gc',
    '--import',
    fileURLToPath(new URL('support/kept-memory.ts', import.meta.url)),
  ];
  await runToEnd({
    ...program,
    args: [...preload, ...args],
    environment: { ...environment, KEPT_MEMORY_FILE: file },
  });
  const bytes = Number(readFileSync(file, 'utf8'));
  if (bytes === 0) throw new Error('replay ended before its memory was measured');
  return bytes;
}

interface Measurement {
  readonly what: string;
  readonly records: number;
  readonly cost: RunCost;
}

interface Measurements {
  readonly rows: readonly Measurement[];
  readonly keptBytes: number;
}

async function measure(records: number): Promise<Measurements> {
  const [log, text] = [join(folder, 'train.jsonl'), join(folder, 'train.om')];
  await writeLog(log, records);
  const collector = await startCollector();
  const sent = await runToEnd(replay('--endpoint', collector.endpoint, log)).finally(collector.stop);
  const written = await runToEnd(replay('--output', text, log));
  const losses = await countLosses(text);
  if (losses !== records) throw new Error(`${losses} of ${records} records were written`);
  const importText = async (name: string, ...args: readonly string[]) => {
    const data = join(folder, 'blocks');
    const cost = await runToEnd(promtool(...args, text, data));
    rmSync(data, { recursive: true });
    return { what: name, records, cost };
  };
  const rows = [
    { what: 'replay to a Collector', records, cost: sent },
    { what: 'replay --output', records, cost: written },
    await importText('promtool import'),
    await importText('promtool import, --max-block-duration=24h', '--max-block-duration=24h'),
  ];
  return { rows, keptBytes: await measureKeptMemory(log) };
}

try {
  await bundle(join(folder, 'app'));
  const fewer = await measure(options.fewer);
  const all = await measure(options.records);
  const [many, few] = [options.records, options.fewer].map((count) => count.toLocaleString('en-US'));
  publish('replay', options, {
    tables: [
      {
        title: 'Ten records for each second of training, 14 time series',
        columns: ['Program', 'Records', 'Time', 'Records per second', 'CPU time', 'Peak RSS'],
        rows: [...fewer.rows, ...all.rows].map(({ what, records, cost }) => ({
          label: what,
          cells: [
            measured([records]),
            measured([cost.seconds], 's'),
            measured([records / cost.seconds]),
            measured([cost.cpuSeconds], 's'),
            measured([cost.peakRss / 1e6], 'MB'),
          ],
        })),
      },
    ],
    targets: [
      {
        what: `Memory that replay --output keeps with ${many} records beside ${few}`,
        unit: '×',
        atMost: 1.1,
        measured: significant(all.keptBytes / fewer.keptBytes),
      },
    ],
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
