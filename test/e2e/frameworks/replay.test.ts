import { execFile, execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/file.ts';
import { startProcess } from '../../support/process.ts';
import { commandLine } from '../../support/terminal.ts';
import { type Series, type StoredSample, startBackend, startStorage, storedIn } from '../faults/backend.ts';
import { has, python } from './training-script.ts';

const execute = promisify(execFile);
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** A number of a log: its gauge, and Unix seconds, or seconds since the start, if the log has them. */
interface LogNumber {
  readonly metric: string;
  readonly seconds: number;
  readonly value: number;
}

interface Framework {
  readonly name: string;
  readonly modules: readonly string[];
  /** Below the folder that it trains in. */
  readonly log: string;
  /** Empty if the records have their own times. */
  readonly replay: readonly string[];
  /** Read without any code of the bridge. */
  numbers(log: string): readonly LogNumber[];
}

const startSeconds = Math.floor(Date.now() / 1000) - 3_600;
const interval = 10;

type Row = Readonly<Record<string, unknown>>;

/** The numbers of a row, by the names of its columns. */
const pick = (row: Row, seconds: number, gauges: Readonly<Record<string, string>>): readonly LogNumber[] =>
  Object.entries(gauges).flatMap(([column, metric]) =>
    row[column] === undefined || row[column] === '' ? [] : [{ metric, seconds, value: Number(row[column]) }],
  );

const lightning: Framework = {
  name: 'lightning',
  modules: ['lightning'],
  log: 'lightning_logs',
  replay: ['--start', String(startSeconds), '--interval', String(interval)],
  numbers(log) {
    const rows: readonly Row[] = parse(readFileSync(join(log, 'version_0/metrics.csv')), { columns: true });
    const gauges = {
      train_loss: 'ml_training_loss',
      val_loss: 'ml_validation_loss',
      'lr-SGD': 'ml_training_learning_rate',
    };
    return rows.flatMap((row, index) => pick(row, startSeconds + index * interval, gauges));
  },
};

const huggingface: Framework = {
  name: 'huggingface',
  modules: ['transformers', 'tensorboard'],
  log: 'runs',
  replay: [],
  numbers(log) {
    const [file] = globSync(join(log, 'events.*'));
    const printed = execFileSync(python, [script('read_events.py'), file ?? ''], { encoding: 'utf8' });
    return (JSON.parse(printed) as readonly [string, number, number][]).flatMap(([tag, value, seconds]) =>
      pick({ [tag]: value }, seconds, {
        'train/loss': 'ml_training_loss',
        'eval/loss': 'ml_validation_loss',
        'train/learning_rate': 'ml_training_learning_rate',
        'train/grad_norm': 'ml_training_train_grad_norm',
        'eval/runtime': 'ml_training_eval_runtime',
      }),
    );
  },
};

const llamaFactory: Framework = {
  name: 'llama-factory',
  modules: ['llamafactory', 'transformers'],
  log: 'trainer_log.jsonl',
  replay: ['--start', String(startSeconds)],
  numbers(log) {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
    return lines.flatMap((line) => {
      const row: Row = JSON.parse(line);
      const [hours = 0, minutes = 0, seconds = 0] = String(row.elapsed_time).split(':').map(Number);
      return pick(row, startSeconds + hours * 3_600 + minutes * 60 + seconds, {
        loss: 'ml_training_loss',
        eval_loss: 'ml_validation_loss',
        lr: 'ml_training_learning_rate',
      });
    });
  },
};

const samplesOf = (stored: readonly Series[], metric: string) => {
  const found = stored.filter(({ labels }) => labels.__name__ === metric);
  expect(found, metric).toHaveLength(1);
  return found[0]?.samples ?? [];
};

/** Each number of the log is there once, at the time of its record, and no other. Records of one second lie 1 ms apart. */
function expectNumbers(stored: readonly Series[], numbers: readonly LogNumber[]): void {
  for (const metric of new Set(numbers.map((it) => it.metric))) {
    const expected = numbers.filter((it) => it.metric === metric);
    const samples = samplesOf(stored, metric);
    expect(
      samples.map(({ value }) => value),
      metric,
    ).toEqual(expected.map(({ value }) => value));
    for (const [index, { timeMs }] of samples.entries())
      expect(Math.abs(timeMs - (expected[index]?.seconds ?? 0) * 1000), metric).toBeLessThan(5);
  }
}

/**
 * The bridge has sent the same values in the same order. It also repeats the last one that it has read, at the present
 * time, which may be later than that of a record that it has not read yet.
 */
function expectFollowed(followed: readonly StoredSample[], replayed: readonly StoredSample[]): void {
  let next = 0;
  for (const { value } of followed) if (value === replayed[next]?.value) next++;
  expect(next).toBe(replayed.length);
  expect(new Set(followed.map(({ value }) => value))).toEqual(new Set(replayed.map(({ value }) => value)));
}

describe.each([lightning, huggingface, llamaFactory])('$name', ({ name, modules, log, replay, numbers }) => {
  it.runIf(has('torch', ...modules))(
    'trains for a minute: what is replayed has each number of its log, and the values that were seen live',
    { timeout: 600_000 },
    async () => {
      const folder = temporaryFolder();
      const path = join(folder, log);
      const live = await startBackend();
      const bridge = startProcess({
        environment: {
          METRICS_FILE_PATH: path,
          JOB_ID: name,
          COLLECTION_INTERVAL: '0.5',
          OTEL_EXPORTER_OTLP_ENDPOINT: live.endpoint,
        },
      });
      await bridge.said('ml-metrics-bridge started');
      const startedMs = Date.now();
      await execute(python, [script('train_a_minute.py'), name, folder]);
      expect(Date.now() - startedMs).toBeGreaterThan(60_000);
      bridge.child.kill('SIGTERM');
      expect(await bridge.ended).toEqual({ code: 0, signal: null });

      const expected = numbers(path);
      expect(expected.length).toBeGreaterThan(100);
      const args = ['replay', path, '--job-id', name, ...replay];
      const selector = `{job_id="${name}"}`;
      const backend = await startBackend('3h');
      const pushed = await commandLine([...args, '--endpoint', backend.endpoint]);
      expect(pushed, pushed.errors).toMatchObject({ code: 0 });
      const stored = await backend.stored(selector);
      expectNumbers(stored, expected);

      const [text, data] = [join(temporaryFolder(), 'run.om'), temporaryFolder()];
      const written = await commandLine([...args, '--output', text]);
      expect(written, written.errors).toMatchObject({ code: 0 });
      const promtool = process.env.PROMTOOL || 'promtool';
      execFileSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', text, data], { stdio: 'pipe' });
      expectNumbers(await storedIn(await startStorage({ window: '0s', data }), selector, '3h'), expected);

      const followed = await live.stored(selector);
      for (const metric of new Set(expected.map((it) => it.metric))) {
        const [seen, replayed] = [samplesOf(followed, metric), samplesOf(stored, metric)];
        expectFollowed(seen, replayed);
        if (replay.length === 0 && /^ml_(training|validation)_loss$/.test(metric))
          expect(seen).toEqual(expect.arrayContaining([...replayed]));
      }
      for (const counter of ['ml_training_batch_number_total', 'ml_training_epoch_total'])
        expect(samplesOf(followed, counter).at(-1)?.value, counter).toBe(
          samplesOf(stored, counter).at(-1)?.value,
        );
    },
  );
});
