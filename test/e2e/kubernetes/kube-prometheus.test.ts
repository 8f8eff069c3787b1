import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { recordingRules } from '../../../tools/generate/alerts/recording-rules.ts';
import { alertGroups } from '../../../tools/generate/alerts/rules.ts';
import { until } from '../../support/until.ts';
import { jobEnded, lastLoss, namespace, startStack } from './cluster.ts';
import { apply, kubectl, repository } from './command.ts';
import { inject } from './inject.ts';
import { shippedAs, withoutBridge } from './jobs.ts';
import { collectorTargets, loadedRules, prometheusKnows, queryOperator, uniqueName } from './monitoring.ts';

const overlay = 'k8s/overlays/kube-prometheus';
const rules = [
  ...Object.values(alertGroups).flatMap((group) => group.map(({ name }) => name)),
  ...Object.values(recordingRules).flatMap((group) => group.map(({ record }) => record)),
].sort();
let said = '';

beforeAll(async () => {
  said = await startStack(overlay, ['otel-collector', 'jaeger']);
  await prometheusKnows(namespace, true);
});
afterAll(async () => {
  await kubectl('delete', '-k', overlay, '--ignore-not-found', '--timeout=180s');
  await prometheusKnows(namespace, false);
});

it('comes up without a Prometheus of its own, and with nothing refused or warned of', async () => {
  expect(said).not.toMatch(/warning|violate|forbidden|unable/i);
  const names = await kubectl('-n', namespace, 'get', 'deployments,services,configmaps', '-o', 'name');
  expect(names).not.toContain('prometheus');
});

it('has every rule of the plain file loaded, healthy and unchanged', async () => {
  await until(
    async () => (await loadedRules()).every(({ health }) => health === 'ok'),
    'an evaluation',
    60_000,
  );
  expect((await loadedRules()).map(({ name }) => name).sort()).toEqual(rules);
  const [rule, plain] = [
    await kubectl('-n', namespace, 'get', 'prometheusrule', 'ml-metrics-bridge', '-o', 'json'),
    readFileSync(`${repository}prometheus/rules/ml-metrics-bridge.yaml`, 'utf8'),
  ];
  expect(JSON.parse(rule).spec).toEqual(parse(plain));
});

it('is scraped, with the labels of the bridge and none of the pod of the Collector', async () => {
  const name = uniqueName('monitored');
  await apply(await inject(withoutBridge(shippedAs('ml-training-job', name))));
  expect(await jobEnded(name, 120_000)).toEqual({ status: 'Complete' });
  const last = `last_over_time(ml_training_loss{job_id="${name}"}[15m])`;
  const loss = await lastLoss(name);
  await until(async () => (await queryOperator(last))[0]?.value === loss, `loss ${loss}`, 60_000);

  expect(await collectorTargets(namespace)).toMatchObject([{ health: 'up', lastError: '' }]);
  const [series, ...others] = await queryOperator(last);
  expect(others).toEqual([]);
  expect(series?.labels).toMatchObject({ job: 'ml-metrics-bridge', job_id: name });
  expect(series?.labels.instance).toMatch(new RegExp(`^ml-otel-demo\\.${name}-\\w+\\.otel-metrics-bridge$`));
  const ofCollector = ['container', 'endpoint', 'namespace', 'pod', 'service'];
  expect(Object.keys(series?.labels ?? {}).filter((label) => ofCollector.includes(label))).toEqual([]);
});

it('gives Grafana the dashboard as it is in the repository', async () => {
  const list = await kubectl('-n', namespace, 'get', 'configmap', '-l', 'grafana_dashboard=1', '-o', 'json');
  const { items } = JSON.parse(list);
  expect(items).toHaveLength(1);
  expect(items[0].data).toEqual({
    'ml-training.json': readFileSync(`${repository}grafana/dashboards/ml-training.json`, 'utf8'),
  });
});
