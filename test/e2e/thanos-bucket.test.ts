import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startBridge } from '../support/bridge.ts';
import { temporaryFolder } from '../support/file.ts';
import { ask, instantQuery } from '../support/prometheus.ts';
import { until } from '../support/until.ts';
import { startCollector } from './collector.ts';
import { forThisTest } from './for-this-test.ts';
import { endProgram } from './program.ts';
import { bucketIn, compactBucket, startThanos, startThanosStore } from './thanos.ts';

const startPushing = (receiver: string) =>
  forThisTest(
    startCollector(
      undefined,
      { 'exporters.otlp_http/thanos.metrics_endpoint': `${receiver}/api/v1/otlp` },
      'k8s/overlays/distributed/otel-collector.yaml',
    ),
  );

interface Block {
  readonly stats: { readonly numSamples: number };
  readonly thanos: { readonly labels: Readonly<Record<string, string>> };
}

/** Blocks of the bucket that are not to be deleted. */
const blocksIn = (bucket: string) =>
  readdirSync(bucket)
    .filter((name) => /^[0-9A-Z]{26}$/.test(name))
    .filter((name) => !readdirSync(join(bucket, name)).includes('deletion-mark.json'))
    .map((name) => JSON.parse(readFileSync(join(bucket, name, 'meta.json'), 'utf8')) as Block);

/** The samples of a job's loss, oldest first. */
async function losses(url: string, job: string): Promise<readonly (readonly [number, string])[]> {
  const { result } = await ask<{ result: { values: [number, string][] }[] }>(url, '/query', {
    query: `ml_training_loss{job_id="${job}"}[1h]`,
  });
  return result.flatMap(({ values }) => values);
}

it('the component with a bucket merges the copies of three receivers, and answers the same', async () => {
  const [bucket, folder] = [temporaryFolder(), temporaryFolder()];
  const thanos = await forThisTest(startThanos([bucketIn(bucket)]));
  const { endpoint } = await startPushing(thanos.receivers[0] as string);
  const bridge = await startBridge({ environment: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
  const steps = 20;
  for (let step = 1; step <= steps; step++)
    await bridge.write({ job: { job_id: 'kept' }, metrics: { training_loss: step } });
  const last = async () => (await losses(thanos.url, 'kept')).at(-1)?.[1] === String(steps);
  await until(last, 'the last snapshot');
  await bridge.stop();
  const before = await losses(thanos.url, 'kept');

  await Promise.all(thanos.pids.slice(0, 3).map(endProgram));
  const uploaded = blocksIn(bucket);
  expect(uploaded.map(({ thanos: { labels } }) => labels.replica).sort()).toEqual(['0', '1', '2']);
  compactBucket(bucket, folder);
  const merged = blocksIn(bucket);
  expect(merged.map(({ thanos: { labels } }) => labels)).toEqual([{ tenant_id: 'default-tenant' }]);
  expect(merged[0]?.stats.numSamples).toBe(uploaded[0]?.stats.numSamples);

  const store = await forThisTest(startThanosStore(bucket, temporaryFolder()));
  await until(async () => (await losses(store.url, 'kept')).length > 0, 'an answer from the bucket');
  // A receiver that ends leaves its very last sample to its volume.
  expect(await losses(store.url, 'kept')).toEqual(before.slice(0, -1));
});

it('the component with tenants makes one of each namespace, and leaves the labels as they are', async () => {
  const patch = readFileSync('k8s/components/thanos-tenants/kustomization.yaml', 'utf8');
  const args = [...patch.matchAll(/value: (--\S+)}/g)].map(([, arg]) => arg as string);
  expect(args).toHaveLength(2);
  const thanos = await forThisTest(startThanos(args));
  const { endpoint } = await startPushing(thanos.receivers[0] as string);
  for (const [index, namespace] of ['team-a', 'team-b'].entries()) {
    const OTEL_RESOURCE_ATTRIBUTES = `k8s.namespace.name=${namespace},k8s.pod.name=pod,k8s.container.name=bridge`;
    const bridge = await startBridge({
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_RESOURCE_ATTRIBUTES },
    });
    await bridge.write({ job: { job_id: namespace }, metrics: { training_loss: index } });
  }
  const found = await until(async () => {
    const series = await instantQuery(thanos.url, 'sort(ml_training_loss)');
    return series.length === 2 && series;
  }, 'both namespaces');
  expect(found.map(({ labels }) => labels)).toEqual(
    ['team-a', 'team-b'].map((namespace) => ({
      __name__: 'ml_training_loss',
      job: 'ml-metrics-bridge',
      instance: `${namespace}.pod.bridge`,
      k8s_namespace_name: namespace,
      job_id: namespace,
      model_name: 'resnet-50',
      dataset: 'imagenet',
    })),
  );
  // Two receivers have acknowledged it; the third one may be late.
  const databases = async () => {
    const told = await Promise.all(thanos.receiverMetrics.map(async (url) => (await fetch(url)).text()));
    return told.map(
      (text) => text.match(/^prometheus_tsdb_head_series\{.*tenant="team-.*"\} [1-9]/gm)?.length,
    );
  };
  await until(async () => (await databases()).join() === '2,2,2', 'a database for each namespace');
});
