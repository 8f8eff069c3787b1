import { ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import { decodeRequest } from '../../src/commands/demo/receiver/codec.ts';
import { coalesce, encodeMetrics } from '../../src/otlp/collection.ts';

const resource = resourceFromAttributes({ 'service.name': 'test' });

function metricsOf(value: number): ResourceMetrics {
  const descriptor = { name: 'loss', description: '', unit: '', valueType: ValueType.DOUBLE };
  const time: [number, number] = [1_700_000_000 + value, 0];
  const dataPoints = [{ startTime: time, endTime: time, attributes: {}, value }];
  const metric = {
    descriptor,
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.GAUGE,
    dataPoints,
  } as const;
  return { resource, scopeMetrics: [{ scope: { name: 'test' }, metrics: [metric] }] };
}
const snapshot = (value: number) => ({ kind: 'snapshot', request: encodeMetrics(metricsOf(value)) }) as const;

it('many collections are one request, in order, each point as it would have gone alone', () => {
  const alone = [1, 2, 3].map((value) => decodeRequest(snapshot(value).request));
  expect(alone.map((points) => points.length)).toEqual([1, 1, 1]);
  expect(decodeRequest(coalesce([1, 2, 3].map(snapshot)))).toEqual(alone.flat());
});
