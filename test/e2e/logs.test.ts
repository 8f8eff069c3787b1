import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { firstEvent, scalarEvent } from '../support/event-file.ts';
import { temporaryFolder } from '../support/file.ts';
import { startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';
import { type Backend, startBackend, untilStored } from './faults/backend.ts';

const records = 400;

interface Log {
  readonly name: string;
  readonly header: string | Buffer;
  /** Record of a step at a Unix time in milliseconds. */
  readonly row: (step: number, timeMs: number) => string | Buffer;
}

const jsonLines: Log = {
  name: 'train.jsonl',
  header: '',
  row: (step, timeMs) =>
    `${JSON.stringify({ timestamp: timeMs / 1_000, step, loss: step + 0.5, grad_norm: 2 * step })}\n`,
};

const csv: Log = {
  name: 'train.csv',
  header: 'timestamp,step,loss,grad_norm\n',
  row: (step, timeMs) => `${timeMs / 1_000},${step},${step + 0.5},${2 * step}\n`,
};

const events: Log = {
  name: 'events.out.tfevents.1.host',
  header: firstEvent(Date.now()),
  row: (step, timeMs) => scalarEvent(step, timeMs, { loss: step + 0.5, grad_norm: 2 * step }),
};

/**
 * A training process that appends records, each write cut at a random byte. In the middle it rotates or rewrites its
 * log, and is started again as after a kill.
 */
const writer = `
  const { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
  const { path, rows, header: start, change } = JSON.parse(process.argv[1]);
  const header = Buffer.from(start, 'base64').toString('latin1');
  const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  if (!existsSync(path)) writeFileSync(path, header, 'latin1');
  rows.forEach((encoded, index) => {
    const row = Buffer.from(encoded, 'base64').toString('latin1');
    if (index === change?.at && change.kind === 'rotate') {
      renameSync(path, path + '.1');
      writeFileSync(path, header);
    }
    if (index === change?.at && change.kind === 'rewrite') {
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, '');
      wait(20);
      const [head, ...old] = text.trimEnd().split('\\n');
      const next = header === '' ? text : [head + ',extra', ...old.map((line) => line + ',')].join('\\n') + '\\n';
      for (let start = 0; start < next.length; start += 2000) appendFileSync(path, next.slice(start, start + 2000));
      change.suffix = header === '' ? '' : ',1';
    }
    const text = change?.suffix && index >= change.at ? row.trimEnd() + change.suffix + '\\n' : row;
    const cut = Math.floor(Math.random() * text.length);
    appendFileSync(path, text.slice(0, cut), 'latin1');
    if (index % 10 === 0) wait(30);
    appendFileSync(path, text.slice(cut), 'latin1');
    wait(5);
  });
`;

async function write(log: Log, path: string, from: number, to: number, startMs: number, change?: object) {
  const rows = Array.from({ length: to - from }, (_, index) =>
    base64(log.row(from + index, startMs + (from + index) * 10)),
  );
  const input = JSON.stringify({ path, rows, header: base64(log.header), change });
  const child = spawn(process.execPath, ['-e', writer, input], { stdio: 'inherit' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
}

const base64 = (data: string | Buffer) => Buffer.from(data).toString('base64');

/** The values of a metric that are stored at the times of the records, by step. */
async function storedByStep(backend: Backend, metric: string, startMs: number) {
  const series = await backend.stored(metric);
  const values = new Map<number, number>();
  for (const { samples } of series) for (const { timeMs, value } of samples) values.set(timeMs, value);
  return (step: number) => values.get(startMs + step * 10);
}

const cases = [
  { log: jsonLines, kind: 'rotate' },
  { log: jsonLines, kind: 'rewrite' },
  { log: csv, kind: 'rewrite' },
  { log: events, kind: 'new file' },
] as const;

describe('a log that a real process writes, through the Collector into Prometheus', () => {
  it.each(cases)(
    '$log.name, $kind: every record is there at its own time, also if the bridge is killed',
    {
      timeout: 180_000,
    },
    async ({ log, kind }) => {
      const backend = await startBackend();
      const folder = temporaryFolder();
      const run = join(folder, 'run');
      mkdirSync(run);
      const path = join(run, log.name);
      const startMs = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
      const environment = {
        // Of a folder, a second file belongs to the same run.
        METRICS_FILE_PATH: kind === 'new file' ? run : path,
        OTEL_EXPORTER_OTLP_ENDPOINT: backend.endpoint,
        EXPORT_QUEUE_DIR: join(folder, 'queue'),
        JOB_ID: 'e2e',
        COLLECTION_INTERVAL: '0.2',
      };
      const first = startProcess({ environment });
      await first.said('ml-metrics-bridge started');
      await sleep(500);
      await write(log, path, 1, records / 2, startMs, { kind, at: 60 });
      await until(
        () => existsSync(join(folder, 'queue')) && hasPosition(join(folder, 'queue')),
        'the position',
      );
      first.child.kill('SIGKILL');
      await first.ended;
      const second = startProcess({ environment });
      // The columns after a rewrite are those of the file.
      const columns = kind === 'rewrite' && log.header !== '' ? { at: 0, suffix: ',1' } : undefined;
      const next = kind === 'new file' ? join(run, 'events.out.tfevents.2.host') : path;
      await write(log, next, records / 2, records, startMs, columns);
      await untilStored(backend, 'ml_training_batch_number_total', records - 1);
      second.child.kill('SIGTERM');
      await second.ended;
      const loss = await storedByStep(backend, 'ml_training_loss', startMs);
      const norm = await storedByStep(backend, 'ml_training_grad_norm', startMs);
      const wrong = [];
      for (let step = 1; step < records; step++)
        if (loss(step) !== step + 0.5 || norm(step) !== 2 * step) wrong.push([step, loss(step), norm(step)]);
      expect(wrong).toEqual([]);
      const [counter] = await backend.stored('ml_training_batch_number_total');
      const counts = counter?.samples.map(({ value }) => value) ?? [];
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    },
  );
});

/** What a writer with a buffer of 4 KiB has written: whole blocks, of which the last ends within an event. */
const blockBytes = 4_096;

it('TensorBoard events that a writer holds back for 28 s are no error, and arrive at their own times', async () => {
  const backend = await startBackend();
  const folder = join(temporaryFolder(), 'bert');
  mkdirSync(folder);
  const path = join(folder, events.name);
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH: folder,
      OTEL_EXPORTER_OTLP_ENDPOINT: backend.endpoint,
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
      LOG_LEVEL: 'debug',
    },
  });
  await bridge.said('ml-metrics-bridge started');
  writeFileSync(path, '');
  await sleep(1_500);
  const startMs = Date.now();
  const all = Buffer.concat([
    firstEvent(startMs),
    ...Array.from({ length: 100 }, (_, index) => events.row(index + 1, startMs + (index + 1) * 10) as Buffer),
  ]);
  appendFileSync(path, all.subarray(0, blockBytes));
  await untilStored(backend, 'ml_training_loss', 30.5);
  await sleep(28_000);
  appendFileSync(path, all.subarray(blockBytes));
  await untilStored(backend, 'ml_training_batch_number_total', 100);
  const loss = await storedByStep(backend, 'ml_training_loss', startMs);
  for (let step = 1; step <= 100; step++) expect([step, loss(step)]).toEqual([step, step + 0.5]);
  const noneOf = async (selector: string) => {
    const series = await backend.stored(selector);
    expect(series.flatMap(({ samples }) => samples).filter(({ value }) => value !== 0)).toEqual([]);
  };
  await noneOf('ml_bridge_snapshots_total{outcome!~"ok|unchanged|missing|empty"}');
  await noneOf('ml_bridge_records_skipped_total');
  expect(bridge.log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
});

/** Whether a bridge has kept how far it has read a log. */
const hasPosition = (root: string) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('position.json'));
