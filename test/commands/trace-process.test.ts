import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';
import { startTraceReceiver } from '../tracing/support/trace-receiver.ts';

const nowhere = 'http://127.0.0.1:1';

async function startTraced(environment: Readonly<Record<string, string>> = {}) {
  const traces = await startTraceReceiver();
  const metrics = await startReceiver();
  const file = join(temporaryFolder(), 'current.json');
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH: file,
      COLLECTION_INTERVAL: '0.01',
      OTEL_EXPORTER_OTLP_ENDPOINT: metrics.endpoint,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces.endpoint,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_BSP_SCHEDULE_DELAY: '1',
      LOG_LEVEL: 'debug',
      ...environment,
    },
  });
  const epoch = (number: number) =>
    replaceFile(file, exampleText({ metrics: { epoch: number, batch_number: 1 } }));
  const received = (name: string, count: number) =>
    until(
      () => traces.spans.filter((span) => span.name === name).length >= count,
      `${count} spans ${name}, log: ${JSON.stringify(bridge.log.slice(-3))}`,
    );
  return { bridge, file, traces, metrics, epoch, received };
}

/** For a second bridge beside the same file. */
const sameRun = ({ file, traces }: Awaited<ReturnType<typeof startTraced>>) => ({
  METRICS_FILE_PATH: file,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces.endpoint,
});

test('a bridge that is killed in its third epoch has told of the two before', async () => {
  const { bridge, traces, epoch, received } = await startTraced();
  epoch(1);
  await received('training.run.started', 1);
  epoch(2);
  await received('training.epoch', 1);
  epoch(3);
  await received('training.epoch', 2);
  bridge.child.kill('SIGKILL');
  expect(await bridge.ended).toMatchObject({ signal: 'SIGKILL' });
  const epochs = traces.spans.filter(({ name }) => name === 'training.epoch');
  expect(epochs.map(({ attributes }) => attributes['training.epoch'])).toEqual([1, 2]);
});

test('killed in the third of five epochs and started anew, it is one run with five epochs', async () => {
  const queue = { EXPORT_QUEUE_DIR: temporaryFolder() };
  const first = await startTraced(queue);
  first.epoch(1);
  await first.received('training.run.started', 1);
  for (const number of [2, 3]) {
    first.epoch(number);
    await first.received('training.epoch', number - 1);
  }
  first.bridge.child.kill('SIGKILL');
  await first.bridge.ended;
  const second = await startTraced({ ...queue, ...sameRun(first) });
  await second.bridge.said('Run is traced');
  for (const number of [4, 5]) {
    first.epoch(number);
    await first.received('training.epoch', number - 1);
  }
  second.bridge.child.kill('SIGTERM');
  await second.bridge.ended;
  await first.received('training.run', 1);
  const { spans } = first.traces;
  const idsOf = (name: string) => [
    ...new Set(spans.filter((span) => span.name === name).map(({ spanId }) => spanId)),
  ];
  const [run, ...others] = idsOf('training.run');
  expect(others).toEqual([]);
  expect(spans.find(({ name }) => name === 'training.run')?.attributes['training.run.partial']).toBe(true);
  expect(idsOf('training.epoch')).toHaveLength(5);
  expect(idsOf('training.run.started')).toHaveLength(1);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  const children = spans.filter(({ name }) => name !== 'training.run');
  expect(new Set(children.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([run]));
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
});

test.each(['with', 'without'])(
  'stopped by SIGTERM in the middle of an epoch and started anew, %s EXPORT_QUEUE_DIR, no two spans have one id',
  async (kept) => {
    const queue = kept === 'with' ? { EXPORT_QUEUE_DIR: temporaryFolder() } : {};
    const first = await startTraced(queue);
    await until(() => first.bridge.log.find(({ level }) => level === 'debug'), 'the first poll');
    first.epoch(1);
    await first.bridge.said('Run is traced');
    first.bridge.child.kill('SIGTERM');
    await first.bridge.ended;
    await first.received('training.run', 1);

    const second = await startTraced({ ...queue, ...sameRun(first) });
    await second.bridge.said('Run is traced');
    first.epoch(2);
    await first.received('training.epoch', 2);
    second.bridge.child.kill('SIGTERM');
    await second.bridge.ended;
    await first.received('training.run', 2);
    const { spans } = first.traces;
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    const partial = (name: string) =>
      spans.filter((span) => span.name === name).map(({ attributes }) => attributes[`${name}.partial`]);
    expect(partial('training.run')).toEqual([undefined, true]);
    expect(partial('training.epoch')).toEqual([undefined, true, undefined]);
    const [, run] = spans.filter(({ name }) => name === 'training.run');
    const children = spans.filter(({ parentSpanId }) => parentSpanId === run?.spanId);
    expect(children.map(({ name }) => name)).toEqual([
      'training.run.started',
      'training.epoch',
      'training.epoch',
    ]);
  },
);

test.each([
  ['the JSON file', 'current.json', exampleText({ job: { start_time: new Date().toISOString() } })],
  ['a log', 'log.jsonl', '{"epoch": 1, "step": 1, "loss": 0.5}\n'],
])(
  'stopped and started anew in the first seconds of a run, beside %s that it found, no two spans have one id',
  async (_what, name, content) => {
    const file = join(temporaryFolder(), name);
    replaceFile(file, content);
    const first = await startTraced({ METRICS_FILE_PATH: file });
    await first.bridge.said('Run is traced');
    first.bridge.child.kill('SIGTERM');
    await first.bridge.ended;
    await first.received('training.run', 1);
    const second = await startTraced({ ...sameRun(first), METRICS_FILE_PATH: file });
    await second.bridge.said('Run is traced');
    second.bridge.child.kill('SIGTERM');
    await second.bridge.ended;
    await first.received('training.run', 2);
    const { spans } = first.traces;
    expect(spans.map(({ name }) => name)).toContain('training.epoch');
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  },
);

test('SIGTERM sends the open epoch and the run before the process ends', async () => {
  const { bridge, traces, epoch, received } = await startTraced({ OTEL_BSP_SCHEDULE_DELAY: '60000' });
  epoch(1);
  await bridge.said('Run is traced');
  bridge.child.kill('SIGTERM');
  expect(await bridge.ended).toMatchObject({ code: 0 });
  await received('training.run', 1);
  expect(traces.spans.map(({ name }) => name).sort()).toEqual([
    'training.epoch',
    'training.run',
    'training.run.started',
  ]);
});

test('otlp,console prints what cannot reach its Collector at the start, each signal for itself', async () => {
  const { bridge, metrics, epoch } = await startTraced({
    OTEL_TRACES_EXPORTER: 'otlp,console',
    OTEL_METRICS_EXPORTER: 'otlp,console',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: nowhere,
  });
  await bridge.said('Collector cannot be reached: spans are printed');
  epoch(1);
  await until(
    () => bridge.log.find(({ message }) => message.includes("name: 'training.run.started'")),
    'the printed span',
  );
  await until(() => metrics.points('ml.training.loss').length > 0, 'the metric');
});

test('metrics are printed in the same way, and spans arrive', async () => {
  const { bridge, epoch, received } = await startTraced({
    OTEL_METRICS_EXPORTER: 'console,otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: nowhere,
  });
  await bridge.said('Collector cannot be reached: metrics are printed');
  epoch(1);
  await until(
    () => bridge.log.find(({ message }) => message.startsWith('  ml.training.loss ')),
    'the printed metric',
  );
  await received('training.run.started', 1);
});

test('nothing of tracing is loaded where nothing is traced', async () => {
  const { bridge, metrics, traces, epoch } = await startTraced({ OTEL_TRACES_EXPORTER: 'none' });
  epoch(1);
  await until(() => metrics.points('ml.training.loss').length > 0, 'the metric');
  bridge.child.kill('SIGTERM');
  await bridge.ended;
  expect(traces.spans).toEqual([]);
});
