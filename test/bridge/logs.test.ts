import { appendFileSync, mkdirSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { startBridge } from '../support/bridge.ts';
import { openFilesIn, temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';
import { startTraceReceiver } from '../tracing/support/trace-receiver.ts';

const fileNamed = (name: string) => join(temporaryFolder(), name);
const line = (fields: object) => `${JSON.stringify(fields)}\n`;
const last = (receiver: Receiver, metric: string) => receiver.points(metric).at(-1);
const timesOf = (receiver: Receiver, metric: string) =>
  new Map(receiver.points(metric).map(({ timeMs, value }) => [timeMs, value]));

/** The default waits for five seconds, which tests need not. */
const environment = { EXPORT_MIN_INTERVAL: '0' };

describe('JSON lines with times of their own', () => {
  const startMs = Date.now() - 50_000;
  const record = (step: number) =>
    line({ timestamp: (startMs + step * 1_000) / 1_000, step, loss: 10 - step / 10, grad_norm: step });

  it('become gauges at their own times, and counters as the present state', async () => {
    const file = fileNamed('log.jsonl');
    writeFileSync(file, '');
    const { receiver, outcome } = await startBridge({ file, environment });
    for (let step = 1; step <= 40; step++) {
      const text = record(step);
      appendFileSync(file, text.slice(0, 20));
      if (step === 1) await outcome('unchanged');
      appendFileSync(file, text.slice(20));
    }
    await receiver.waitFor(() => last(receiver, 'ml.training.batch_number')?.value === 40, 'step 40');
    const times = timesOf(receiver, 'ml.training.loss');
    for (let step = 1; step <= 40; step++) expect(times.get(startMs + step * 1_000)).toBe(10 - step / 10);
    expect(timesOf(receiver, 'ml.training.grad_norm').get(startMs + 7_000)).toBe(7);
    const counts = receiver.points('ml.training.batch_number');
    expect(counts.map(({ value }) => value)).toEqual(
      counts.map(({ value }) => value).toSorted((a, b) => a - b),
    );
    for (const { timeMs } of counts) expect(timeMs).toBeGreaterThan(startMs + 45_000);
  });

  it('that are far in the future are replaced by the time of the write', async () => {
    const file = fileNamed('log.jsonl');
    writeFileSync(file, '');
    const { receiver, outcome } = await startBridge({ file, environment });
    await outcome('unchanged');
    const writtenMs = Date.now();
    appendFileSync(file, line({ timestamp: '2500-01-01T00:00:00Z', step: 1, loss: 0.5 }));
    await receiver.waitFor(() => last(receiver, 'ml.training.loss')?.value === 0.5, 'the loss');
    for (const { timeMs } of receiver.points('ml.training.loss')) {
      // The times of files are as coarse as the kernel's tick.
      expect(timeMs).toBeGreaterThan(writtenMs - 100);
      expect(timeMs).toBeLessThanOrEqual(Date.now());
    }
  });

  it('all arrive out of a burst, in order, with a small export queue', async () => {
    const file = fileNamed('log.jsonl');
    writeFileSync(file, Array.from({ length: 2_000 }, (_, index) => record(index + 1)).join(''));
    const { receiver } = await startBridge({
      file,
      environment: { ...environment, METRICS_START: 'beginning', EXPORT_QUEUE_SIZE: '100' },
    });
    const steps = () => new Set(receiver.points('ml.training.grad_norm').map(({ value }) => value));
    await receiver.waitFor(() => steps().size === 2_000, 'all records', 60_000);
    expect(last(receiver, 'ml.bridge.dropped')?.value ?? 0).toBe(0);
  });
});

describe('a log that is there when the bridge starts', () => {
  it('gives the last record of each kind, and then what is appended', async () => {
    const file = fileNamed('log.jsonl');
    writeFileSync(
      file,
      [1, 2, 3].map((step) => line({ step, loss: step })).join('') + line({ step: 3, eval_loss: 9 }),
    );
    const { receiver, log } = await startBridge({ file, environment });
    await receiver.waitFor(() => last(receiver, 'ml.validation.loss')?.value === 9, 'the validation');
    expect(new Set(receiver.points('ml.training.loss').map(({ value }) => value))).toEqual(new Set([3]));
    appendFileSync(file, line({ step: 4, loss: 4 }));
    await receiver.waitFor(() => last(receiver, 'ml.training.batch_number')?.value === 4, 'step 4');
    // A field that is absent from the last record keeps its value.
    await receiver.waitFor(() => last(receiver, 'ml.validation.loss')?.value === 9, 'the validation');
    expect(log.filter(({ message }) => message === 'Training run began')).toHaveLength(1);
  });

  it('belongs to an earlier run if it is older than a minute', async () => {
    const file = fileNamed('log.jsonl');
    writeFileSync(file, line({ step: 1, loss: 1 }));
    const past = Date.now() / 1_000 - 300;
    utimesSync(file, past, past);
    const { receiver, polled } = await startBridge({ file, environment });
    await polled(3);
    expect(receiver.points('ml.training.loss')).toEqual([]);
    appendFileSync(file, line({ step: 2, loss: 2 }));
    await receiver.waitFor(() => last(receiver, 'ml.training.loss')?.value === 2, 'what is appended');
  });
});

describe('runs of a log', () => {
  it('begin again with the first step, and go on after a resume', async () => {
    const file = fileNamed('log.jsonl');
    const { receiver, log, outcome } = await startBridge({ file, environment });
    await outcome('missing');
    const count = () => last(receiver, 'ml.training.batch_number')?.value;
    const began = () => log.filter(({ message }) => message === 'Training run began').length;
    writeFileSync(file, [5, 10, 15].map((step) => line({ step, loss: 1 })).join(''));
    await receiver.waitFor(() => count() === 15, 'step 15');
    appendFileSync(file, line({ step: 10, loss: 1 }) + line({ step: 20, loss: 1 }));
    await receiver.waitFor(() => count() === 20, 'step 20 after a resume');
    expect(began()).toBe(1);
    const resumes = log.filter(({ message }) => message.startsWith('Training resumed'));
    expect(resumes.map(({ message }) => message)).toEqual(['Training resumed at step 10, was 15']);
    appendFileSync(file, line({ step: 5, loss: 1 }));
    await until(() => began() === 2, 'the second run');
    await receiver.waitFor(() => count() === 5, 'step 5 of the second run');
    truncateSync(file, 0);
    appendFileSync(file, line({ step: 5, loss: 3 }));
    await until(() => began() === 3, 'the third run');
  });

  it('that go back to a checkpoint are an event of the span', async () => {
    const file = fileNamed('log.jsonl');
    const traces = await startTraceReceiver();
    const { receiver, outcome, stop } = await startBridge({
      file,
      environment: {
        ...environment,
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces.endpoint,
      },
    });
    await outcome('missing');
    writeFileSync(file, [5, 10, 15, 10, 12].map((step) => line({ step, epoch: 1, loss: 1 })).join(''));
    await receiver.waitFor(() => last(receiver, 'ml.training.batch_number')?.value === 15, 'step 15');
    await stop();
    const events = traces.spans.flatMap((span) => span.events).filter(({ name }) => name === 'run_rewound');
    expect(events).toMatchObject([
      { attributes: { 'training.global_step': 10, 'training.previous_global_step': 15 } },
    ]);
  });

  it('are named by the nearest folder whose name says something, or by JOB_ID', async () => {
    const file = fileNamed('log.jsonl');
    writeFileSync(file, line({ step: 5, loss: 1 }));
    const named = await startBridge({
      file,
      environment: { ...environment, JOB_ID: 'job-7', DATASET: 'c4' },
    });
    await named.receiver.waitFor(() => last(named.receiver, 'ml.training.loss') !== undefined, 'the loss');
    expect(last(named.receiver, 'ml.training.loss')?.attributes).toEqual({
      'job.id': 'job-7',
      dataset: 'c4',
    });
  });
});

describe('a .json file', () => {
  it('that holds JSON lines is found to be a log', async () => {
    const file = fileNamed('metrics.json');
    const { receiver, outcome, log } = await startBridge({ file, environment });
    await outcome('missing');
    writeFileSync(file, [1, 2, 3].map((step) => line({ iteration: step, total_loss: step })).join(''));
    await receiver.waitFor(() => last(receiver, 'ml.training.loss')?.value === 3, 'the loss');
    expect(new Set(receiver.points('ml.training.loss').map(({ value }) => value))).toEqual(
      new Set([1, 2, 3]),
    );
    expect(log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a log that is not as it should be', () => {
  it('has 10,000 columns: as many become gauges as are allowed, and each record costs little', async () => {
    const file = fileNamed('wide.csv');
    const columns = Array.from({ length: 10_000 }, (_, index) => `metric_${index}`);
    const row = (step: number) => `${step},${columns.map((_, index) => index + step / 8).join(',')}\n`;
    writeFileSync(
      file,
      `step,${columns.join(',')}\n${Array.from({ length: 20 }, (_, index) => row(index + 1)).join('')}`,
    );
    const { receiver } = await startBridge({
      file,
      environment: { ...environment, METRICS_START: 'beginning' },
    });
    await receiver.waitFor(() => last(receiver, 'ml.training.batch_number')?.value === 20, 'step 20', 20_000);
    const gauges = new Set(
      receiver.requests
        .flatMap(({ points }) => points.map(({ metric }) => metric))
        .filter((it) => it.startsWith('ml.training.metric_')),
    );
    expect(gauges.size).toBe(50);
  });

  it('is binary: it is malformed, and nothing is exported', async () => {
    const file = fileNamed('log.jsonl');
    writeFileSync(file, Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7_919) % 251)));
    const { receiver, outcome, polled } = await startBridge({
      file,
      environment: { ...environment, METRICS_START: 'beginning' },
    });
    await outcome('malformed');
    await polled(3);
    expect(receiver.points('ml.training.loss')).toEqual([]);
  });
});

describe('at SIGTERM', () => {
  it('takes the last records of a log that cannot be read to its end, and says how many it passed over', async () => {
    const file = fileNamed('log.jsonl');
    const receiver = await startReceiver();
    let open = false;
    receiver.reply(() => (open ? { status: 'ok' } : { status: 'error', code: 14 }));
    writeFileSync(
      file,
      Array.from({ length: 3_000 }, (_, step) => line({ step: step + 1, loss: step + 1 })).join(''),
    );
    const { stop, polled } = await startBridge({
      file,
      receiver,
      environment: {
        ...environment,
        METRICS_START: 'beginning',
        EXPORT_QUEUE_SIZE: '100',
        SHUTDOWN_TIMEOUT: '6',
      },
    });
    await polled(3);
    const stopped = stop();
    await new Promise((resolve) => setTimeout(resolve, 3_200));
    open = true;
    const { passedOver } = await stopped;
    expect(passedOver).toBeGreaterThan(1_000);
    expect(last(receiver, 'ml.training.loss')?.value).toBe(3_000);
  });
});

describe('the files of a log', () => {
  it.each([
    ['a file', 'log.jsonl', 'log.jsonl'],
    ['a file that is found to be a log', 'log.json', 'log.json'],
    ['a folder', 'log.jsonl', ''],
  ])('are open while the bridge follows %s, and closed at its end', async (_what, name, path) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, name), [1, 2].map((step) => line({ step, loss: step })).join(''));
    const { receiver, stop } = await startBridge({ file: join(folder, path), environment });
    await receiver.waitFor(() => last(receiver, 'ml.training.loss')?.value === 2, 'the loss');
    expect(openFilesIn(folder)).toEqual([join(folder, name)]);
    await stop();
    expect(openFilesIn(folder)).toEqual([]);
  });
});

describe('with EXPORT_QUEUE_DIR', () => {
  const startMs = Date.now() - 30_000;
  const record = (step: number) => line({ timestamp: (startMs + step * 100) / 1_000, step, loss: step });
  const records = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => record(from + index)).join('');

  /** Lets a bridge read up to a step, and starts another after `whileDown`. Gives the steps that the other exports. */
  async function restart(file: string, stepBefore: number, lastStep: number, whileDown: () => void) {
    const environmentOfBoth = { ...environment, EXPORT_QUEUE_DIR: temporaryFolder() };
    const first = await startBridge({
      file,
      environment: { ...environmentOfBoth, METRICS_START: 'beginning' },
    });
    await first.receiver.waitFor(
      () => last(first.receiver, 'ml.training.loss')?.value === stepBefore,
      `step ${stepBefore}`,
    );
    await first.stop();
    whileDown();
    const second = await startBridge({ file, environment: environmentOfBoth });
    const stepOf = (timeMs: number) => (timeMs - startMs) / 100;
    const steps = () => {
      const points = second.receiver.points('ml.training.loss');
      return [
        ...new Set(points.filter(({ timeMs, value }) => stepOf(timeMs) === value).map(({ value }) => value)),
      ];
    };
    await second.receiver.waitFor(() => steps().includes(lastStep), `step ${lastStep}`, 20_000);
    return { steps: steps(), log: second.log };
  }

  it.each([
    ['a folder', ''],
    ['a pattern', '*/train.jsonl'],
  ])('a restarted bridge goes on in %s', async (_what, pattern) => {
    const root = temporaryFolder();
    const log = join(root, 'llama-sft', 'train.jsonl');
    mkdirSync(dirname(log));
    writeFileSync(log, records(1, 3));
    const { steps } = await restart(join(root, pattern), 3, 5, () => appendFileSync(log, records(4, 5)));
    expect(steps).toEqual([3, 4, 5]);
  });

  it('a restarted bridge reads the rest of its run before a newer one', async () => {
    const root = temporaryFolder();
    const logs = ['first', 'second'].map((run) => join(root, run, 'train.jsonl'));
    const [first = '', second = ''] = logs;
    for (const path of logs) mkdirSync(dirname(path));
    writeFileSync(first, records(1, 3));
    const { steps, log } = await restart(root, 3, 12, () => {
      appendFileSync(first, records(4, 5));
      writeFileSync(second, records(11, 12));
    });
    expect(steps).toEqual([3, 4, 5, 11, 12]);
    expect(log.filter(({ message }) => message === 'Training run began')).toHaveLength(2);
  });

  it.each([1, 2])('a restarted bridge reads the rest of a log that was rotated %i times', async (times) => {
    const file = fileNamed('train.jsonl');
    writeFileSync(file, records(1, 3));
    const { steps, log } = await restart(file, 3, 9, () => {
      appendFileSync(file, records(4, 5));
      renameSync(file, `${file}.${times}`);
      utimesSync(`${file}.${times}`, Date.now() / 1_000 - 20, Date.now() / 1_000 - 20);
      if (times === 2) writeFileSync(`${file}.1`, records(6, 7));
      writeFileSync(file, records(8, 9));
    });
    expect(steps).toEqual(times === 2 ? [3, 4, 5, 6, 7, 8, 9] : [3, 4, 5, 8, 9]);
    expect(log.filter(({ message }) => message === 'Training run began')).toHaveLength(1);
  });

  it('a restarted bridge goes on where the last one had delivered to', async () => {
    const file = fileNamed('log.jsonl');
    const environmentOfBoth = { ...environment, EXPORT_QUEUE_DIR: temporaryFolder() };
    const startMs = Date.now() - 30_000;
    const record = (step: number) => line({ timestamp: (startMs + step * 100) / 1_000, step, loss: step });
    const first = await startBridge({ file, environment: environmentOfBoth });
    await first.outcome('missing');
    appendFileSync(file, [1, 2, 3].map(record).join(''));
    await first.receiver.waitFor(() => last(first.receiver, 'ml.training.loss')?.value === 3, 'step 3');
    await first.stop();
    appendFileSync(file, [4, 5].map(record).join(''));
    const second = await startBridge({ file, environment: environmentOfBoth });
    await second.receiver.waitFor(() => last(second.receiver, 'ml.training.loss')?.value === 5, 'step 5');
    const times = timesOf(second.receiver, 'ml.training.loss');
    for (const step of [3, 4, 5]) expect(times.get(startMs + step * 100)).toBe(step);
    expect(times.get(startMs + 200)).toBeUndefined();
    const startTimes = [first, second].map(({ log }) =>
      log.find(({ message }) => message === 'Training run began'),
    );
    expect(startTimes[1]?.startTime).toBe(startTimes[0]?.startTime);
  });

  it('records that were not delivered are read again', async () => {
    const file = fileNamed('log.jsonl');
    const receiver = await startReceiver();
    const environmentOfBoth = {
      ...environment,
      EXPORT_QUEUE_DIR: temporaryFolder(),
      SHUTDOWN_TIMEOUT: '0.3',
    };
    const first = await startBridge({ file, receiver, environment: environmentOfBoth });
    await first.outcome('missing');
    appendFileSync(file, line({ step: 1, loss: 1 }));
    await receiver.waitFor(() => last(receiver, 'ml.training.loss')?.value === 1, 'step 1');
    receiver.reply(() => ({ status: 'error', code: 14 }));
    appendFileSync(file, line({ step: 2, loss: 2 }));
    await until(() => first.polls.filter(({ outcome }) => outcome.status === 'ok').length === 2, 'step 2');
    await first.stop();
    const second = await startBridge({ file, environment: environmentOfBoth });
    await second.receiver.waitFor(() => last(second.receiver, 'ml.training.loss')?.value === 2, 'step 2');
  });
});
