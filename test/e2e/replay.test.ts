import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { firstEvent, scalarEvent } from '../support/event-file.ts';
import { temporaryFolder } from '../support/file.ts';
import { commandLine } from '../support/terminal.ts';
import { startCollector } from './collector.ts';
import { type Series, startBackend, startStorage, storedIn } from './faults/backend.ts';
import { startJaeger } from './jaeger.ts';

const hourMs = 3_600_000;
const records = 3_000;
const window = '12h';

/** A finished run of more than eight hours, with a histogram, a NaN and a field that is seldom written. */
function writeRun(folder: string, startMs: number): void {
  mkdirSync(folder, { recursive: true });
  const lines = Array.from({ length: records }, (_, index) => {
    const metrics = {
      step: index + 1,
      loss: index === 1_234 ? 'NaN' : 3 / (index + 1),
      grad_norm: index * 0.37,
      processing_time_ms: 100 + (index % 50),
      ...(index % 100 === 0 && { eval_loss: 4 / (index + 1) }),
    };
    return `${JSON.stringify({ timestamp: (startMs + index * 10_001) / 1_000, ...metrics })}\n`;
  });
  writeFileSync(join(folder, 'train.jsonl'), lines.join(''));
}

/** The evaluation of step 1 took a minute and a half. */
const scalars = (startMs: number) => [
  { metric: 'ml_training_loss', tag: 'train/loss', timeMs: startMs, value: 0.5 },
  { metric: 'ml_validation_loss', tag: 'eval/loss', timeMs: startMs + 90_000, value: 0.75 },
];

function writeEvents(folder: string, startMs: number): void {
  mkdirSync(folder, { recursive: true });
  const events = scalars(startMs).map(({ tag, timeMs, value }) => scalarEvent(1, timeMs, { [tag]: value }));
  writeFileSync(join(folder, 'events.out.tfevents.1.host'), Buffer.concat([firstEvent(startMs), ...events]));
}

/** Beside it, event files, and logs of frameworks whose records have no times. */
function writeRuns(startMs: number): string {
  const folder = temporaryFolder();
  writeRun(join(folder, 'own'), startMs);
  writeEvents(join(folder, 'events'), startMs);
  // Above the event files they would be second logs of their run.
  for (const name of ['lightning_logs', 'csv/ultralytics.csv', 'csv/keras.csv'])
    cpSync(`test/fixtures/logs/${basename(name)}`, join(folder, name), { recursive: true });
  return folder;
}

/**
 * Name and labels of each series, with its samples by time. Prometheus itself writes the bound of a bucket as `5` where it
 * is pushed and as `5.0` where it is scraped or imported.
 */
const byLabels = (series: readonly Series[]) =>
  new Map(
    series.map(({ labels, samples }) => [
      JSON.stringify(Object.entries({ ...labels, ...(labels.le && { le: Number(labels.le) }) }).sort()),
      samples.map(({ timeMs, value }) => `${timeMs} ${value}`),
    ]),
  );

function expectEveryNumber(stored: readonly Series[], startMs: number): void {
  const samplesOf = (name: string, job = 'own') => {
    const found = stored.filter(({ labels }) => labels.__name__ === name && labels.job_id === job);
    expect(found, name).toHaveLength(1);
    return found[0]?.samples ?? [];
  };
  const expected = (value: (index: number) => number | undefined) =>
    Array.from({ length: records }, (_, index) => ({
      timeMs: startMs + index * 10_001,
      value: value(index),
    })).filter((sample) => sample.value !== undefined);
  expect(samplesOf('ml_training_loss')).toEqual(
    expected((index) => (index === 1_234 ? Number.NaN : 3 / (index + 1))),
  );
  expect(samplesOf('ml_training_grad_norm')).toEqual(expected((index) => index * 0.37));
  expect(samplesOf('ml_validation_loss')).toEqual(
    expected((index) => (index % 100 === 0 ? 4 / (index + 1) : undefined)),
  );
  expect(samplesOf('ml_training_batch_number_total')).toEqual(expected((index) => index + 1));
  expect(samplesOf('ml_training_processing_time_milliseconds_count')).toEqual(expected((index) => index + 1));
  for (const { metric, timeMs, value } of scalars(startMs))
    expect(samplesOf(metric, 'events')).toEqual([{ timeMs, value }]);
}

function promtool(...args: readonly string[]): void {
  execFileSync(process.env.PROMTOOL || 'promtool', args, { stdio: 'pipe' });
}

describe('replay into the real Prometheus', { timeout: 180_000 }, () => {
  it('stores every number at its time, pushed and imported by promtool alike', async () => {
    const startMs = Date.now() - 10 * hourMs;
    const folder = writeRuns(startMs);
    const times = ['--start', String((startMs + hourMs) / 1_000), '--interval', '30'];

    const backend = await startBackend(window);
    const recent = temporaryFolder();
    writeFileSync(join(recent, 'now.jsonl'), `{"timestamp": ${Date.now() / 1_000}, "loss": 1}\n`);
    expect((await commandLine(['replay', recent, '--endpoint', backend.endpoint])).code).toBe(0);
    const pushed = await commandLine(['replay', folder, '--endpoint', backend.endpoint, ...times]);
    expect(pushed, pushed.errors).toMatchObject({ code: 0 });
    const jobs = '{job_id=~"own|events|lightning.*|.*csv"}';
    const stored = await backend.stored(jobs);
    expectEveryNumber(stored, startMs);
    const again = await commandLine(['replay', folder, '--endpoint', backend.endpoint, ...times]);
    expect(again, again.errors).toMatchObject({ code: 0 });
    expect(byLabels(await backend.stored(jobs))).toEqual(byLabels(stored));

    const [text, data] = [join(temporaryFolder(), 'runs.om'), temporaryFolder()];
    const written = await commandLine(['replay', folder, '--output', text, ...times]);
    expect(written, written.errors).toMatchObject({ code: 0 });
    promtool('tsdb', 'create-blocks-from', 'openmetrics', text, data);
    const prometheus = await startStorage({ window: '0s', data });
    const imported = await storedIn(prometheus, jobs, window);
    expectEveryNumber(imported, startMs);

    expect(new Set(imported.map(({ labels }) => labels.job_id)).size).toBe(5);
    expect(byLabels(imported)).toEqual(byLabels(stored));
  });

  it('explains once that Prometheus takes no points of this age', async () => {
    const startMs = Date.now() - 10 * hourMs;
    const backend = await startBackend('30m');
    const recent = temporaryFolder();
    writeFileSync(join(recent, 'now.jsonl'), `{"timestamp": ${Date.now() / 1_000}, "loss": 1}\n`);
    expect((await commandLine(['replay', recent, '--endpoint', backend.endpoint])).code).toBe(0);
    const folder = temporaryFolder();
    writeRun(join(folder, 'own'), startMs);
    const { code, errors } = await commandLine(['replay', folder, '--endpoint', backend.endpoint]);
    expect(code).toBe(1);
    expect(
      errors.match(/set storage\.tsdb\.out_of_order_time_window of Prometheus to 12h/g),
      errors,
    ).toHaveLength(1);
    expect(errors).toContain('0 of 3,000 records arrived');
  });
});

it('replay --trace stores the run and its epochs in Jaeger at their times, each once', async () => {
  const jaeger = await startJaeger();
  onTestFinished(jaeger.stop);
  const collector = await startCollector(jaeger.otlp);
  onTestFinished(collector.stop);
  const startMs = Date.now() - 48 * hourMs;
  const folder = temporaryFolder();
  const lines = Array.from({ length: 3_000 }, (_, index) =>
    JSON.stringify({
      timestamp: (startMs + index * 10_000) / 1_000,
      step: index + 1,
      epoch: 1 + Math.floor(index / 100),
      loss: 3 / (index + 1),
    }),
  );
  writeFileSync(join(folder, 'train.jsonl'), `${lines.join('\n')}\n`);
  const args = ['replay', folder, '--trace', '--job-id', 'finished', '--endpoint', collector.endpoint];
  const { code, text, errors } = await commandLine(args);
  expect({ code }, errors).toEqual({ code: 0 });
  const traceId = /^ {2}([0-9a-f]{32}) finished$/m.exec(text)?.[1] ?? '';
  const spans = await jaeger.trace(traceId, ['training.run', 'training.run.started', 'training.epoch']);
  const run = spans.find(({ name }) => name === 'training.run');
  expect(run).toMatchObject({
    startMs,
    durationMs: 2_999 * 10_000,
    tags: { 'training.job_id': 'finished', 'training.run.state': 'ended', 'training.epoch': 30 },
  });
  const epochs = spans.filter(({ name }) => name === 'training.epoch');
  const endOf = (epoch: number) => startMs + (epoch * 100 - 1) * 10_000;
  expect(
    epochs
      .toSorted((one, other) => one.startMs - other.startMs)
      .map(({ tags, startMs: from, durationMs }) => [tags['training.epoch'], from, from + durationMs]),
  ).toEqual(
    Array.from({ length: 30 }, (_, index) => [
      index + 1,
      index === 0 ? startMs : endOf(index),
      endOf(index + 1),
    ]),
  );
  expect(epochs.every(({ parentSpanId }) => parentSpanId === run?.spanId)).toBe(true);
  expect(spans).toHaveLength(32);
  const duplicates = spans.flatMap(({ warnings }) => warnings).filter((text) => /duplicate/i.test(text));
  expect(duplicates).toEqual([]);
  const found = await jaeger.search({
    service: 'ml-metrics-bridge',
    tags: JSON.stringify({ 'training.job_id': 'finished' }),
    start: String((startMs - hourMs) * 1_000),
    end: String(Date.now() * 1_000),
  });
  expect(found).toEqual([traceId]);
});
