import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { jobEnded, lastLoss, lastValue, namespace, query, startStack } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';
import { shippedAs, withoutBridge } from './jobs.ts';

const overlay = 'k8s/overlays/large';
let said = '';

beforeAll(async () => {
  said = await startStack(overlay);
});
afterAll(() => kubectl('delete', '-k', overlay, '--ignore-not-found', '--timeout=180s'));

it('runs more than one Collector, with nothing refused or warned of', async () => {
  expect(said).not.toMatch(/warning|violate|forbidden/i);
  const ready = () =>
    kubectl('-n', namespace, 'get', 'deployment', 'otel-collector', '-o', 'jsonpath={.status.readyReplicas}');
  await until(async () => Number(await ready()) >= 2, 'two Collectors', 120_000);
});

it('has the final values and histograms in Prometheus, whichever Collector they went by', async () => {
  const name = 'pushed';
  const exponential =
    '- name: OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION\n              value: base2_exponential_bucket_histogram\n            ';
  const manifest = (await inject(withoutBridge(shippedAs('ml-training-job', name)))).replace(
    '- name: POD_NAME\n',
    `${exponential}- name: POD_NAME\n`,
  );
  await apply(manifest);
  expect(await jobEnded(name, 120_000)).toEqual({ status: 'Complete' });
  const loss = await lastLoss(name);
  await until(async () => (await lastValue('ml_training_loss', name)) === loss, `loss ${loss}`, 30_000);

  const steps = `ml_training_processing_time_milliseconds{job_id="${name}"}`;
  const [count, ...others] = await query(`histogram_count(last_over_time(${steps}[15m]))`);
  expect(others).toEqual([]);
  expect(count?.value).toBeGreaterThan(0);
  expect(await query(`ml_training_processing_time_milliseconds_bucket{job_id="${name}"}`)).toEqual([]);
});

it('lets go of a gauge that is no longer sent within a minute or so', async () => {
  const gone = async () => (await query('ml_training_loss{job_id="pushed"}')).length === 0;
  await until(gone, 'the gauge to disappear', 90_000);
});
