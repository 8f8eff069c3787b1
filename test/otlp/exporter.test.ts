import { status } from '@grpc/grpc-js';
import { ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ReceiverResponse, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { exportersOf } from '../../src/otlp/exporter.ts';
import { metricsRequest, metricsSignal } from '../../src/otlp/metrics-signal.ts';
import { spansSignal } from '../../src/otlp/spans-signal.ts';
import { configOf } from '../support/config.ts';
import { startTraceReceiver } from '../tracing/support/trace-receiver.ts';

/** One gauge at one time, of a bridge. */
function metricsOf(value: number, instance = 'one'): ResourceMetrics {
  const time: [number, number] = [1_700_000_000 + value, 0];
  const metric: MetricData = {
    descriptor: { name: 'loss', description: '', unit: '', valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.GAUGE,
    dataPoints: [{ startTime: time, endTime: time, attributes: {}, value }],
  };
  const resource = resourceFromAttributes({ 'service.instance.id': instance });
  return { resource, scopeMetrics: [{ scope: { name: 'test' }, metrics: [metric] }] };
}

async function setUp() {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const config = configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  return { receiver, createExporter: exportersOf(metricsSignal, { ...config, version: '0.0.0' }) };
}

const requestsOf = (...values: readonly number[]) =>
  values.map((value) => metricsRequest('snapshot', metricsOf(value)));

describe('an exporter', () => {
  it('sends several requests as one, in order, each point at its own time', async () => {
    const { receiver, createExporter } = await setUp();
    expect(await createExporter().export(requestsOf(1, 2, 3))).toEqual({ status: 'success' });
    expect(receiver.requests).toHaveLength(1);
    expect(receiver.points('loss').map(({ value, timeMs }) => [value, timeMs])).toEqual(
      [1, 2, 3].map((value) => [value, 1_700_000_000_000 + value * 1000]),
    );
  });

  it.each([
    { rejectedDataPoints: 3, errorMessage: 'too old' },
    { rejectedDataPoints: 0, errorMessage: 'this will be refused soon' },
  ])('hands on a partial success', async (partialSuccess) => {
    const { receiver, createExporter } = await setUp();
    receiver.reply((_request, n) => ({ status: 'ok', ...(n === 1 && { partialSuccess }) }));
    const exporter = createExporter();
    expect(await exporter.export(requestsOf(1))).toEqual({
      status: 'success',
      partialSuccess: { rejected: partialSuccess.rejectedDataPoints, reason: partialSuccess.errorMessage },
    });
    expect(await exporter.export(requestsOf(2))).toEqual({ status: 'success' });
  });

  it.each<[string, (text: string) => ReceiverResponse]>([
    [
      'a partial success',
      (text) => ({ status: 'ok', partialSuccess: { rejectedDataPoints: 1, errorMessage: text } }),
    ],
    ['a rejection', (text) => ({ status: 'error', code: status.INVALID_ARGUMENT, message: text })],
    ['a delay', (text) => ({ status: 'error', code: status.UNAVAILABLE, message: text })],
  ])('hands on the beginning of a long text of %s', async (_name, answer) => {
    const { receiver, createExporter } = await setUp();
    receiver.reply(() => answer(`too much: ${'x'.repeat(10_000)}`));
    const outcome = await createExporter().export(requestsOf(1));
    const { reason = '' } = outcome.status === 'success' ? (outcome.partialSuccess ?? {}) : outcome;
    expect(reason).toMatch(/too much: x+…$/);
    expect(reason).toHaveLength(1_001);
  });

  it('tells apart the partial successes of two signals at the same time', async () => {
    const { receiver, createExporter } = await setUp();
    receiver.reply(() => ({
      status: 'ok',
      partialSuccess: { rejectedDataPoints: 1, errorMessage: 'point' },
    }));
    const traces = await startTraceReceiver();
    traces.answer({ rejectedDataPoints: 2, errorMessage: 'span' });
    const config = configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: traces.endpoint });
    const [metrics, spans] = [createExporter(), exportersOf(spansSignal, { ...config, version: '0.0.0' })()];
    for (let turn = 0; turn < 50; turn++) {
      const outcomes = await Promise.all([metrics.export(requestsOf(turn)), spans.export([])]);
      expect(outcomes).toEqual([
        { status: 'success', partialSuccess: { rejected: 1, reason: 'point' } },
        { status: 'success', partialSuccess: { rejected: 2, reason: 'span' } },
      ]);
    }
  });

  it('names its signal and its connection in the user agent, so that gRPC shares none', async () => {
    const { receiver, createExporter } = await setUp();
    for (const exporter of [createExporter(), createExporter()]) await exporter.export(requestsOf(1));
    const agents = receiver.requests.map(({ headers }) => headers['user-agent']);
    expect(agents).toEqual([
      expect.stringMatching(/^ml-metrics-bridge\/0\.0\.0 \(metrics; connection \d+\) OTel-OTLP-Exporter/),
      expect.stringMatching(/^ml-metrics-bridge\/0\.0\.0 \(metrics; connection \d+\) OTel-OTLP-Exporter/),
    ]);
    expect(new Set(agents).size).toBe(2);
  });

  it('is not held back by the backoff of the one before it', async () => {
    const { receiver, createExporter } = await setUp();
    const { port } = receiver;
    await receiver.stop();
    let failed = createExporter();
    // Each failure doubles the backoff of a connection that is kept.
    for (let turn = 0; turn < 5; turn++) {
      expect(await failed.export(requestsOf(1))).toMatchObject({ status: 'retry', code: status.UNAVAILABLE });
      failed.shutdown();
      failed = createExporter();
    }
    const back = await startReceiver({ port });
    onTestFinished(() => back.stop());
    expect(await createExporter().export(requestsOf(1))).toEqual({ status: 'success' });
  });
});

it('snapshots of two bridges are not merged', () => {
  expect(metricsSignal.canMerge(metricsOf(1), metricsOf(2))).toBe(true);
  expect(metricsSignal.canMerge(metricsOf(1), metricsOf(2, 'two'))).toBe(false);
});

it('merged snapshots have each metric once, with the points of all', () => {
  const [scope, ...others] = metricsSignal.merge([metricsOf(1), metricsOf(2)]).scopeMetrics;
  expect(others).toEqual([]);
  expect(scope?.metrics.map(({ dataPoints }) => dataPoints.map(({ value }) => value))).toEqual([[1, 2]]);
});
