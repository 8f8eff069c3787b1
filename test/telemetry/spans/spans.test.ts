import { status } from '@grpc/grpc-js';
import { resourceFromAttributes } from '@opentelemetry/resources';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { systemClock } from '../../../src/common/clock.ts';
import { createConditions, createLogger } from '../../../src/common/logger.ts';
import { deferred, pause } from '../../../src/common/timing.ts';
import type { Config } from '../../../src/config/bridge.ts';
import { applySnapshot } from '../../../src/run/advance.ts';
import type { Run } from '../../../src/run/run.ts';
import { interpret } from '../../../src/snapshot/interpret.ts';
import type { RunSpanStore } from '../../../src/telemetry/spans/run-span-store.ts';
import { createSpans } from '../../../src/telemetry/spans/spans.ts';
import { type LogLine, linesInto, startBridge } from '../../support/bridge.ts';
import { configOf } from '../../support/config.ts';
import { exampleFile } from '../../support/file.ts';
import { snapshotOf } from '../../support/snapshot.ts';
import { until } from '../../support/until.ts';
import {
  type ReceivedSpan,
  startTraceReceiver,
  type TraceReceiver,
} from '../../tracing/support/trace-receiver.ts';

const begin = Date.parse('2025-10-23T10:15:00Z');
/** A time of the file, in seconds after the run's start. */
const at = (seconds: number) => new Date(begin + seconds * 1000).toISOString();
const parentTrace = '0af7651916cd43dd8448eb211c80319c';
const parentSpan = 'b7ad6b7169203331';
const traceparent = `00-${parentTrace}-${parentSpan}-01`;

interface Traced {
  readonly environment?: Readonly<Record<string, string>>;
  readonly traces?: TraceReceiver;
  readonly config?: Partial<Config>;
}

async function startTraced({ environment = {}, traces, config = {} }: Traced = {}) {
  const receiver = traces ?? (await startTraceReceiver());
  const bridge = await startBridge({
    environment: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '1',
      ...environment,
    },
    config,
  });
  // So that the file is the first of its run.
  await bridge.outcome('missing');
  const step = (epoch: number, batch: number, seconds: number, more: Record<string, unknown> = {}) => {
    const { job, top, ...metrics } = more as Record<string, Record<string, unknown>>;
    return bridge.write({
      ...(job && { job }),
      metrics: { epoch, batch_number: batch, ...metrics },
      top: { timestamp: at(seconds), ...top },
    });
  };
  const named = (name: string) => receiver.spans.filter((span) => span.name === name);
  return { bridge, receiver, step, named };
}

/** Spans without a bridge, to be told of transitions. */
async function startSpans(environment: Readonly<Record<string, string>>, store?: RunSpanStore) {
  const receiver = await startTraceReceiver();
  const { traces: config } = configOf({
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.endpoint,
    ...environment,
  });
  if (config === undefined) throw new Error('nothing is traced');
  const lines: LogLine[] = [];
  const log = createLogger('info', linesInto(lines));
  const resource = resourceFromAttributes({ 'service.name': 'test', 'service.instance.id': 'test' });
  const conditions = createConditions(log);
  const spans = createSpans({
    config,
    resource,
    version: '0.0.0',
    clock: systemClock,
    random: () => 0,
    log,
    conditions,
    store,
  });
  return { spans, receiver, lines };
}

const only = (spans: readonly ReceivedSpan[]): ReceivedSpan => {
  expect(spans).toHaveLength(1);
  return spans[0] as ReceivedSpan;
};

describe('a run', () => {
  test('is a span from start_time to its last snapshot, with its epochs below it', async () => {
    const { bridge, step, named } = await startTraced();
    await step(1, 1, 10, { validation_loss: 2 });
    await step(1, 2, 20, { validation_loss: 1.8 });
    await step(2, 1, 30, { validation_loss: 1.7 });
    await step(2, 2, 40, { training_loss: 0.5, validation_loss: 1.6, top: { status: 'completed' } });
    await bridge.stop();

    const run = only(named('training.run'));
    expect(run).toMatchObject({
      parentSpanId: '',
      startMs: begin,
      endMs: begin + 40_000,
      status: 'unset',
      attributes: {
        'training.job_id': 'training-job-001',
        'gen_ai.request.model': 'resnet-50',
        'kubeflow.job.name': 'training-job-001',
        'training.run.state': 'completed',
        'training.loss': 0.5,
        'training.accuracy': 0.6789,
      },
    });
    const epochs = named('training.epoch');
    expect(
      epochs.map(({ startMs, endMs, attributes }) => [startMs, endMs, attributes['training.epoch']]),
    ).toEqual([
      [begin, begin + 20_000, 1],
      [begin + 20_000, begin + 40_000, 2],
    ]);
    for (const span of [...epochs, only(named('training.run.started'))]) {
      expect(span).toMatchObject({ traceId: run.traceId, parentSpanId: run.spanId });
      expect(span.attributes['training.epoch.partial']).toBeUndefined();
    }
    expect(epochs[1]?.events).toEqual([
      {
        name: 'validation_loss_improved',
        timeMs: begin + 40_000,
        attributes: { 'training.validation_loss': 1.6, 'training.previous_validation_loss': 1.8 },
      },
    ]);
  });

  test('is found from its first snapshot on', async () => {
    const { receiver, step, named } = await startTraced();
    await step(1, 1, 10);
    await receiver.received(1);
    expect(only(named('training.run.started'))).toMatchObject({ startMs: begin, endMs: begin });
  });

  test('exports an epoch when it ends, and what a file of the epoch before did not show is partial', async () => {
    const { bridge, step, receiver, named } = await startTraced();
    await step(3, 5, 10);
    await step(4, 1, 20);
    await receiver.received(2);
    expect(only(named('training.epoch'))).toMatchObject({
      startMs: begin + 10_000,
      endMs: begin + 10_000,
      attributes: { 'training.epoch': 3, 'training.epoch.partial': true },
    });
    await step(7, 3, 30);
    await bridge.stop();
    // Epochs 5 and 6 were not seen, nor the beginning of 7.
    expect(named('training.epoch').map(({ attributes }) => attributes['training.epoch.partial'])).toEqual([
      true,
      undefined,
      true,
    ]);
  });

  test('is a span of one trace for each rank, and for each bridge that was started within it', async () => {
    const traces = await startTraceReceiver();
    const once = async (epoch: number, rank?: number) => {
      const traced = await startTraced({ traces, ...(rank !== undefined && { config: { rank } }) });
      await traced.step(epoch, 1, 10);
      await traced.bridge.stop();
    };
    await once(1);
    await once(1);
    await once(2);
    await once(1, 1);
    const runs = traces.spans.filter(({ name }) => name === 'training.run');
    expect(runs).toHaveLength(4);
    expect(new Set(runs.map(({ traceId }) => traceId)).size).toBe(1);
    const [first, again, within, rank1] = runs;
    expect(again?.spanId).toBe(first?.spanId);
    expect(within?.spanId).not.toBe(first?.spanId);
    expect(runs.map(({ attributes }) => attributes['training.run.partial'])).toEqual([
      undefined,
      undefined,
      true,
      undefined,
    ]);
    expect(rank1?.spanId).not.toBe(first?.spanId);
    expect(rank1?.attributes['training.rank']).toBe(1);
  });

  test('that starts again is another span, which says what it follows', async () => {
    const { bridge, step, named } = await startTraced();
    await step(5, 1, 10);
    await step(1, 1, 100, { job: { start_time: at(90) } });
    await bridge.stop();
    const [first, second] = named('training.run');
    expect(first?.attributes['training.run.state']).toBe('ended');
    expect(second?.spanId).not.toBe(first?.spanId);
    expect(second?.events.map(({ name }) => name)).toEqual(['run_restarted']);
  });
});

describe('the ids and times of a run', () => {
  test('give each bridge that saw a part of an epoch a span of its own', async () => {
    const traces = await startTraceReceiver();
    for (const seconds of [10, 20]) {
      const { bridge, step } = await startTraced({ traces });
      await step(3, 5, seconds);
      await bridge.stop();
    }
    const ids = traces.spans.filter(({ name }) => name === 'training.epoch').map(({ spanId }) => spanId);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(2);
  });

  test('without start_time make it another span than the run before it', async () => {
    const { bridge, step, named } = await startTraced();
    const job = { start_time: undefined };
    await step(5, 1, 10, { job });
    await step(1, 1, 20, { job });
    await bridge.stop();
    expect(new Set(named('training.run').map(({ spanId }) => spanId)).size).toBe(2);
  });

  test('change where it gives its name late, the epoch then being partial', async () => {
    const { bridge, step, named } = await startTraced();
    await step(2, 5, 10, { job: { job_id: undefined } });
    await step(3, 5, 20, { job: { job_id: undefined } });
    await step(3, 6, 30);
    await bridge.stop();
    expect(named('training.run').map(({ attributes }) => attributes['training.job_id'])).toEqual([
      undefined,
      'training-job-001',
    ]);
    expect(named('training.epoch').at(-1)).toMatchObject({
      startMs: begin + 30_000,
      attributes: { 'training.epoch': 3, 'training.epoch.partial': true },
    });
  });

  test('never begin after its first snapshot', async () => {
    const { bridge, step, named } = await startTraced();
    await step(1, 1, 10, { job: { start_time: at(60) } });
    await bridge.stop();
    expect(only(named('training.run'))).toMatchObject({ startMs: begin + 10_000, endMs: begin + 10_000 });
  });

  test('leave in requests of OTEL_BSP_MAX_EXPORT_BATCH_SIZE', async () => {
    const { bridge, step, receiver } = await startTraced({
      environment: { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2', OTEL_BSP_SCHEDULE_DELAY: '60000' },
    });
    for (let epoch = 1; epoch < 6; epoch++) await step(epoch, 1, epoch * 10);
    await bridge.stop();
    expect(receiver.spans).toHaveLength(7);
    // Each request has its own object of headers.
    expect(new Set(receiver.spans.map(({ headers }) => headers)).size).toBeGreaterThanOrEqual(4);
  });
});

describe('what happened', () => {
  test('is told apart by time, and belongs to the epoch it fell into', async () => {
    const { bridge, step, named } = await startTraced();
    const saved = (seconds: number) => ({ name: 'model_checkpoint_saved', time: at(seconds) });
    await step(1, 1, 10);
    await step(2, 1, 20, { top: { events: [saved(8), saved(9), saved(15)] } });
    await bridge.stop();
    const times = named('training.epoch').map(({ events }) => events.map(({ timeMs }) => timeMs - begin));
    expect(times).toEqual([[8_000, 9_000], [15_000]]);
  });

  test('is no error where the loss is finite again, and one where the file says failed', async () => {
    const { bridge, step, named } = await startTraced();
    await step(1, 1, 10, { training_loss: Number.NaN } as never);
    await step(1, 2, 20, { training_loss: 1, top: { status: 'completed' } } as never);
    await step(1, 1, 110, { job: { start_time: at(100) }, top: { status: 'failed' } });
    await bridge.stop();
    expect(named('training.run').map(({ status, attributes }) => [status, attributes['error.type']])).toEqual(
      [
        ['unset', undefined],
        ['error', 'training_failed'],
      ],
    );
  });

  test('is an event: a loss that is not finite, and whatever the file names, each once', async () => {
    const { bridge, step, named } = await startTraced();
    const checkpoint = {
      name: 'model_checkpoint_saved',
      time: at(12),
      attributes: { path: '/checkpoints/1', bytes: 7 },
    };
    await step(1, 1, 10);
    await step(1, 2, 20, { training_loss: Number.NaN, top: { events: [checkpoint] } } as never);
    await step(1, 3, 30, { training_loss: Number.NaN, top: { events: [checkpoint] } } as never);
    await bridge.stop();
    const { events } = only(named('training.epoch'));
    expect(events.map(({ name }) => name)).toEqual(['model_checkpoint_saved', 'loss_not_finite']);
    expect(events[0]).toMatchObject({
      timeMs: begin + 12_000,
      attributes: { path: '/checkpoints/1', bytes: 7 },
    });
    expect(only(named('training.run'))).toMatchObject({
      status: 'error',
      statusMessage: 'training_loss is NaN',
      attributes: { 'error.type': 'loss_not_finite' },
    });
  });

  test('stalled and resumed are events', async () => {
    const { bridge, step, named } = await startTraced({ config: { stallAfterMs: 30 } });
    await step(1, 1, 10);
    await until(
      () => bridge.log.find(({ message }) => /stalled|no step/i.test(message)),
      'the bridge to notice',
    );
    await step(1, 2, 20);
    await bridge.stop();
    const names = named('training.epoch').flatMap(({ events }) => events.map(({ name }) => name));
    expect(names.slice(0, 2)).toEqual(['run_stalled', 'run_resumed']);
  });

  test('an error of the file is the status of the run, and its exception', async () => {
    const { bridge, step, named } = await startTraced();
    const error = { type: 'RuntimeError', message: 'CUDA out of memory' };
    await step(1, 1, 10, { top: { status: 'failed', error } } as never);
    await bridge.stop();
    const run = only(named('training.run'));
    expect(run).toMatchObject({
      status: 'error',
      statusMessage: 'RuntimeError: CUDA out of memory',
      attributes: { 'error.type': 'RuntimeError', 'training.run.state': 'failed' },
    });
    expect(run.events).toEqual([
      {
        name: 'exception',
        timeMs: begin + 10_000,
        attributes: { 'exception.type': 'RuntimeError', 'exception.message': 'CUDA out of memory' },
      },
    ]);
  });
});

test('of many events a span keeps the newest, and of each event the first attributes', async () => {
  const { bridge, step, named } = await startTraced();
  const attributes = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`a${index}`, index]));
  const events = Array.from({ length: 200 }, (_, index) => ({ name: `e${index}`, time: at(10), attributes }));
  await step(1, 1, 20, { top: { events: events.slice(0, 100) } } as never);
  await step(1, 2, 30, { top: { events: events.slice(100) } } as never);
  await bridge.stop();
  const kept = only(named('training.epoch')).events;
  expect(kept.map(({ name }) => name)).toEqual(events.slice(-128).map(({ name }) => name));
  for (const event of kept)
    expect(Object.keys(event.attributes)).toEqual(Object.keys(attributes).slice(0, 32));
});

test('an error in tracing costs the trace and no metric', async () => {
  const { spans, receiver, lines } = await startSpans({});
  // Not what a transition is, as only an error of ours could bring about.
  const broken = { run: {}, events: undefined } as never;
  for (let times = 0; times < 2; times++) spans.follow(broken, undefined, { ...systemClock(), fileAgeMs: 0 });
  await spans.close(systemClock().monotonicMs + 1_000);
  expect(lines.map(({ message }) => message)).toEqual(['Tracing failed and is turned off; metrics continue']);
  expect(receiver.spans).toEqual([]);
});

describe('the parent', () => {
  const fromFile = '11111111111111111111111111111111';

  test.each([
    ['the environment before the file', { TRACEPARENT: traceparent }, parentTrace, parentSpan],
    ['the file without an environment', {}, fromFile, '2222222222222222'],
    ['the file where the annotation is not there', { TRACEPARENT: '' }, fromFile, '2222222222222222'],
    ['the file where the environment is invalid', { TRACEPARENT: 'no' }, fromFile, '2222222222222222'],
  ])('is that of %s', async (_title, environment, traceId, spanId) => {
    const { bridge, step, named } = await startTraced({ environment });
    await step(1, 1, 10, { job: { traceparent: `00-${fromFile}-2222222222222222-01` } });
    await bridge.stop();
    expect(only(named('training.run'))).toMatchObject({ traceId, parentSpanId: spanId });
  });

  test('that is no traceparent is said once, and does not keep the bridge from starting', async () => {
    const { bridge, step } = await startTraced({ environment: { TRACEPARENT: 'no' } });
    await step(1, 1, 10);
    await bridge.stop();
    expect(
      bridge.log.filter(({ message }) => message.startsWith('TRACEPARENT is not a valid W3C')),
    ).toHaveLength(1);
  });

  test('that is sampled is obeyed, whatever the ratio', async () => {
    const { bridge, step, named } = await startTraced({
      environment: {
        TRACEPARENT: traceparent,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0',
      },
    });
    await step(1, 1, 10);
    await bridge.stop();
    expect(only(named('training.run')).traceId).toBe(parentTrace);
    expect(named('training.epoch')).toHaveLength(1);
  });

  test('gives its random flag to the run and its epochs', async () => {
    const { bridge, step, receiver } = await startTraced({
      environment: { TRACEPARENT: traceparent.replace(/01$/, '03') },
    });
    await step(1, 1, 10);
    await bridge.stop();
    expect(new Set(receiver.spans.map(({ flags }) => flags & 0xff))).toEqual(new Set([3]));
  });

  test('that is not sampled is obeyed', async () => {
    const { bridge, step, receiver } = await startTraced({
      environment: { TRACEPARENT: traceparent.replace(/01$/, '00') },
    });
    await step(1, 1, 10);
    await bridge.stop();
    expect(receiver.spans).toEqual([]);
    expect(bridge.receiver.points('ml.training.loss').length).toBeGreaterThan(0);
  });

  test('of any text gives spans with valid ids, and takes only what is a traceparent', async () => {
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{30,34}-[0-9a-f]{15,17}-[0-9a-f]{2}$/),
      fc.constantFrom(traceparent, traceparent.toUpperCase(), ` ${traceparent} `, `${traceparent}-more`),
    );
    const { bridge, step, named } = await startTraced({ environment: { OTEL_TRACES_SAMPLER: 'always_on' } });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        runs += 1;
        await step(1, 1, 10, { job: { traceparent: text, start_time: at(-runs) } });
      }),
      { numRuns: 100 },
    );
    await bridge.stop();
    const spans = named('training.run');
    expect(spans).toHaveLength(runs);
    for (const { traceId, spanId } of spans) {
      expect(traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
      expect(spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
    }
  });
});

describe('sampling', () => {
  /** Runs that follow each other, without files: a thousand of them take a while to read. */
  async function sampledOf(count: number, environment: Readonly<Record<string, string>>) {
    const { spans, receiver } = await startSpans({ OTEL_BSP_MAX_QUEUE_SIZE: '10000', ...environment });
    let run: Run | undefined;
    for (let index = 0; index < count; index++) {
      const snapshot = snapshotOf(interpret(exampleFile({ job: { job_id: `job-${index}` } })));
      const now = { ...systemClock(), fileAgeMs: 0 };
      const transition = applySnapshot(run, snapshot, now, configOf());
      run = transition.run;
      spans.follow(transition, snapshot, now);
    }
    await spans.close(systemClock().monotonicMs + 10_000);
    return receiver.spans.filter(({ name }) => name === 'training.run.started').length;
  }
  const ratio = (share: string) => ({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: share });

  test('keeps none, a tenth or all of a thousand runs', async () => {
    expect(await sampledOf(1_000, ratio('0'))).toBe(0);
    // The ids are made of those of the jobs, so this is the same each time.
    const tenth = await sampledOf(1_000, ratio('0.1'));
    expect(tenth).toBeGreaterThan(70);
    expect(tenth).toBeLessThan(130);
    expect(await sampledOf(1_000, { OTEL_TRACES_SAMPLER: 'always_on' })).toBe(1_000);
  });
});

describe('a Collector', () => {
  test('without traces is one warning, after which tracing is off', async () => {
    const traces = await startTraceReceiver();
    const unimplemented = 12;
    traces.answer(unimplemented);
    const { bridge, step } = await startTraced({ traces });
    await step(1, 1, 10);
    const warnings = () =>
      bridge.log.filter(({ message }) => message.startsWith('Collector does not accept traces'));
    await until(() => warnings().length > 0, 'the warning');
    traces.answer('ok');
    for (let epoch = 2; epoch < 6; epoch++) await step(epoch, 1, epoch * 10);
    await bridge.stop();
    expect(warnings()).toHaveLength(1);
    expect(traces.spans).toEqual([]);
    expect(bridge.receiver.points('ml.bridge.spans_rejected').at(-1)?.value).toBe(1);
  });

  test('that hangs on to a request is given OTEL_BSP_EXPORT_TIMEOUT', async () => {
    const traces = await startTraceReceiver();
    traces.answer('hang');
    const environment = {
      OTEL_BSP_EXPORT_TIMEOUT: '20',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '3600000',
      SHUTDOWN_TIMEOUT: '1',
    };
    const { bridge, step } = await startTraced({ traces, environment });
    await step(1, 1, 10);
    await until(() => bridge.log.find(({ message }) => /spans wait/.test(message)), 'the warning');
  });

  test('that is away gets the spans when it is back', async () => {
    const traces = await startTraceReceiver();
    const unavailable = 14;
    traces.answer(unavailable);
    const { bridge, step, named } = await startTraced({ traces });
    for (let epoch = 1; epoch < 6; epoch++) await step(epoch, 1, epoch * 10);
    await until(() => bridge.log.find(({ message }) => /spans wait/.test(message)), 'the warning');
    traces.answer('ok');
    await bridge.stop();
    expect(named('training.epoch').map(({ attributes }) => attributes['training.epoch'])).toHaveLength(5);
  });

  test('that hangs on to spans delays neither polls nor metrics, and the end only until the deadline', async () => {
    const traces = await startTraceReceiver();
    traces.answer('hang');
    const { bridge, step } = await startTraced({ traces, environment: { SHUTDOWN_TIMEOUT: '1' } });
    for (let epoch = 1; epoch < 6; epoch++) await step(epoch, 1, epoch * 10, { training_loss: epoch });
    await bridge.polled(5);
    await until(
      () => bridge.receiver.points('ml.training.loss').some(({ value }) => value === 5),
      'the last metric',
    );
    expect((await bridge.stop()).undelivered).toBe(0);
  });
});

test('metrics are the same with a trace as without', async () => {
  const losses = async (environment: Readonly<Record<string, string>>) => {
    const receiver = await startReceiver();
    const bridge = await startBridge({ receiver, environment });
    for (let epoch = 1; epoch < 4; epoch++)
      await bridge.write({ metrics: { epoch, batch_number: 1, training_loss: epoch } });
    await bridge.stop();
    const series = ['ml.training.loss', 'ml.training.epoch', 'ml.training.batch_number'];
    return series.map((name) => [...new Set(receiver.points(name).map(({ value }) => value))]);
  };
  const { endpoint } = await startTraceReceiver();
  const traced = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint };
  expect(await losses(traced)).toEqual(await losses({}));
});

test('what is configured for traces is not looked at where nothing is traced', () => {
  expect(configOf({ OTEL_TRACES_SAMPLER: 'xray' }).traces).toBeUndefined();
  const disabled = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' };
  expect(configOf(disabled).traces).toBeUndefined();
});

test('spans that the Collector rejects are counted, and said once', async () => {
  const { bridge, receiver, step } = await startTraced({
    environment: { OTEL_METRIC_EXPORT_INTERVAL: '20' },
  });
  const count = () => bridge.receiver.points('ml.bridge.spans_rejected').at(-1)?.value;
  await bridge.receiver.waitFor(() => count() === 0, 'a count of none');
  receiver.answer({ rejectedDataPoints: 3, errorMessage: 'too many' });
  bridge.receiver.reply(() => ({
    status: 'ok',
    partialSuccess: { rejectedDataPoints: 2, errorMessage: 'too old' },
  }));
  for (let epoch = 1; epoch <= 3; epoch++) {
    const before = receiver.spans.length;
    await step(epoch, 1, epoch * 10);
    await until(() => receiver.spans.length > before, 'spans');
  }
  await bridge.receiver.waitFor(() => Number(count()) >= 9, 'all of them counted');
  expect(Number(count()) % 3).toBe(0);
  const warnings = bridge.log.filter(({ message }) => message.includes('rejected some of its spans'));
  expect(warnings).toMatchObject([{ level: 'warn', spans: 3, reason: 'too many' }]);
  const ofPoints = bridge.log.filter(({ message }) => message.includes('rejected some of its points'));
  expect(ofPoints).toMatchObject([{ points: 2, reason: 'too old' }]);
});

test('spans that the Collector rejects in whole are counted one by one, too, and said once', async () => {
  const { bridge, receiver, step } = await startTraced({
    // Several spans are one request.
    environment: { OTEL_METRIC_EXPORT_INTERVAL: '20', OTEL_BSP_SCHEDULE_DELAY: '300' },
  });
  receiver.answer(status.INVALID_ARGUMENT);
  const count = () => bridge.receiver.points('ml.bridge.spans_rejected').at(-1)?.value;
  // The span that begins the run, and those of the epochs that have ended.
  for (let epoch = 1; epoch <= 5; epoch++) await step(epoch, 1, epoch * 10);
  await bridge.receiver.waitFor(() => count() === 5, 'five spans counted');
  await step(6, 1, 60);
  await bridge.receiver.waitFor(() => count() === 6, 'the next span counted');
  const lines = bridge.log.filter(({ message }) => message.startsWith('Collector rejected spans'));
  expect(lines).toMatchObject([{ level: 'error', reason: expect.stringContaining('INVALID_ARGUMENT') }]);
});

test('spans that no longer fit their queue are said once', async () => {
  const { bridge, receiver, step } = await startTraced({
    environment: {
      OTEL_BSP_MAX_QUEUE_SIZE: '2',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1',
      OTEL_METRIC_EXPORT_INTERVAL: '20',
      SHUTDOWN_TIMEOUT: '0.3',
    },
  });
  receiver.answer(status.UNAVAILABLE);
  const lines = () => bridge.log.filter(({ message }) => message.startsWith('Span queue is full'));
  for (let epoch = 1; lines().length === 0 && epoch < 100; epoch++) {
    await step(epoch, 1, epoch * 10);
    await pause(5);
  }
  for (let epoch = 101; epoch <= 105; epoch++) {
    await step(epoch, 1, epoch * 10);
    await pause(5);
  }
  expect(lines()).toMatchObject([{ level: 'error' }]);
});

test('the end waits until it is kept that the span of the run was sent, and not beyond its deadline', async () => {
  const { promise, resolve } = deferred<void>();
  const store: RunSpanStore = {
    previous: undefined,
    began: () => undefined,
    accepted: () => undefined,
    written: () => promise,
  };
  const { spans } = await startSpans({}, store);
  const now = () => systemClock().monotonicMs;
  const startMs = now();
  await spans.close(startMs + 100);
  // A timer may be a few milliseconds early.
  expect(now() - startMs).toBeGreaterThanOrEqual(90);
  let isClosed = false;
  const closed = spans.close(now() + 60_000).then(() => {
    isClosed = true;
  });
  await pause(50);
  expect(isClosed).toBe(false);
  resolve();
  await closed;
});
