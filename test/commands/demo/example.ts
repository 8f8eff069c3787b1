import { runStates } from '../../../src/catalogue/metrics.ts';
import type { Point, ReceivedRequest } from '../../../src/commands/demo/receiver/receiver.ts';

export interface Example {
  /** Batches trained before this one. */
  readonly n: number;
  readonly perEpoch?: number;
  readonly loss?: number;
  readonly state?: (typeof runStates)[number];
  readonly jobId?: string;
  readonly startTimeMs?: number;
  readonly reply?: ReceivedRequest['reply'];
}

/** A request as the bridge sends it: the run's metrics and its own. */
export function example(options: Example): ReceivedRequest {
  const { n, perEpoch = 60, state = 'running', jobId = 'training-job-001', startTimeMs = 1000 } = options;
  const labels = { 'job.id': jobId, 'model.name': 'resnet-50', dataset: 'imagenet' };
  const timeMs = startTimeMs + n * 100;
  const common = { unit: '', description: '', scope: 'bridge', resource: {}, startTimeMs, timeMs };
  const gauge = (metric: string, value: number, attributes: Point['attributes'] = labels): Point => ({
    ...common,
    metric,
    kind: 'gauge',
    value,
    attributes,
  });
  const sum = (metric: string, value: number, attributes: Point['attributes'] = labels): Point => ({
    ...gauge(metric, value, attributes),
    kind: 'sum',
    monotonic: true,
    temporality: 'cumulative',
  });
  const histogram = (metric: string, value: number, count: number): Point => ({
    ...gauge(metric, value),
    kind: 'histogram',
    count,
  });
  const batch = n + 1;
  const epoch = Math.floor(n / perEpoch) + 1;
  const loss = options.loss ?? 0.3 + 2 * Math.exp(-n / 90) + 0.06 * Math.sin(n * 1.7);
  const points = [
    gauge('ml.training.loss', loss),
    gauge('ml.validation.loss', 0.4 + 2 * Math.exp(-epoch / 2)),
    gauge('ml.training.accuracy', 1 - 0.9 * Math.exp(-n / 100)),
    gauge('ml.training.learning_rate', 0.001 * 0.95 ** epoch),
    gauge('ml.training.gpu_utilization', 0.923),
    sum('ml.training.batch_number', batch),
    sum('ml.training.epoch', epoch),
    histogram('ml.training.processing_time', batch * 238.3, batch),
    histogram('ml.training.samples_per_second', batch * 134.45, batch),
    gauge('ml.training.total_epochs', 5),
    ...runStates.map((name) =>
      gauge('ml.training.run.state', name === state ? 1 : 0, { ...labels, state: name }),
    ),
    sum('ml.bridge.snapshots', batch, { outcome: 'new' }),
    sum('ml.bridge.snapshots', 14, { outcome: 'unchanged' }),
    sum('ml.bridge.exports', batch, { outcome: 'success' }),
    gauge('ml.bridge.file.age', 0.213, {}),
    gauge('ml.bridge.backlog', 0, {}),
  ];
  return { receivedAtMs: timeMs, points, headers: {}, bytes: 1000, reply: options.reply ?? 'ok' };
}
