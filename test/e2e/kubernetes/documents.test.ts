import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, inject as provided } from 'vitest';
import { documentBlocks, documentFile } from '../../support/document-blocks.ts';
import { overlayBlocks, stackBlocks } from '../../support/documented.ts';
import { openTerminals, type Terminals } from '../../support/terminals.ts';
import { until } from '../../support/until.ts';
import { type Checkout, createCheckout } from '../checkout.ts';
import { lastValue, namespace, query } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { trainingRuntime } from './training.ts';

const documentOf = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const readme = documentOf('README.md');
const guide = documentOf('docs/kubernetes.md');
const runtimeName = 'torch-distributed';

let checkout: Checkout;
let terminals: Terminals;

beforeAll(async () => {
  checkout = await createCheckout();
  // What `npm ci && npm run build` makes, which test/e2e/documents.test.ts runs.
  cpSync(dirname(provided('bundle')), join(checkout.folder, 'dist'), { recursive: true });
  terminals = openTerminals({ folder: checkout.folder, environment: { PATH: pathWithKind() } });
});
afterEach(() => terminals.close());
afterAll(async () => {
  await kubectl('delete', '-k', 'k8s/', '--ignore-not-found', '--timeout=180s');
  await kubectl('delete', 'namespace', 'ml', '--ignore-not-found', '--timeout=120s');
  await kubectl('delete', 'clustertrainingruntime', runtimeName, '--ignore-not-found');
  await checkout?.remove();
});

/** In a cluster that is not kind's, `kind load docker-image` is what brings the image to its nodes. */
function pathWithKind(): string {
  const { PATH = '', E2E_LOAD_IMAGE } = process.env;
  if (E2E_LOAD_IMAGE === undefined) return PATH;
  const folder = join(checkout.folder, 'stand-in');
  mkdirSync(folder);
  writeFileSync(join(folder, 'kind'), `#!/bin/sh\nexec ${E2E_LOAD_IMAGE} "$3"\n`);
  chmodSync(join(folder, 'kind'), 0o755);
  return `${folder}:${PATH}`;
}

const arrives = (metric: string, jobId: string) =>
  until(async () => (await lastValue(metric, jobId)) !== undefined, `${metric} of ${jobId}`, 60_000);

it('the commands of the README work in an empty cluster', async () => {
  await terminals.run(documentBlocks(readme, 'kubernetes'));
  await arrives('ml_training_loss', 'ml-training-job');
  await terminals.run(documentBlocks(readme, 'inject'));
  await arrives('ml_training_loss', 'my-training');
}, 900_000);

type Steps = Partial<Record<(typeof stackBlocks)[number], () => Promise<unknown>>>;

/** What the document assumes. */
const before: Steps = { trainjob: prepareTrainJob };

/** What the commands of the document lead to, or what the next ones must not find. */
const after: Steps = {
  submit: () => kubectl('delete', '-f', join(checkout.folder, 'job.yaml')),
  trainjob: async () => {
    await kubectl('-n', 'ml', 'wait', '--for=condition=Complete', 'trainjob/my-training', '--timeout=120s');
    const losses = () => query('last_over_time(ml_training_loss{job_id="documented"}[15m])');
    await until(async () => (await losses()).length === 2, 'the losses of both nodes', 60_000);
  },
};

/** Writes a file as the document shows it. */
function writeShown(path: string): void {
  const target = join(checkout.folder, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, documentFile(guide, path));
}

/** A namespace, a runtime, and the file with the TrainJob that the document shows. */
async function prepareTrainJob(): Promise<void> {
  writeShown('trainjob.yaml');
  const runtime = { ...trainingRuntime(runtimeName, 'documented', 'node'), kind: 'ClusterTrainingRuntime' };
  await kubectl('create', 'namespace', 'ml');
  await apply(JSON.stringify({ ...runtime, metadata: { name: runtimeName } }));
}

it.each(stackBlocks)(
  'the commands of docs/kubernetes.md for %s work',
  async (name) => {
    await before[name]?.();
    await terminals.run(documentBlocks(guide, name));
    await after[name]?.();
  },
  900_000,
);

it('nothing is left afterwards', async () => {
  const left = await kubectl('get', 'namespace', namespace, '--ignore-not-found', '-o', 'name');
  expect(left).toBe('');
});

it('the commands of docs/kubernetes.md for the chart work', async () => {
  await terminals.run(documentBlocks(guide, 'chart'));
}, 300_000);

it.each(overlayBlocks)(
  'the command of docs/kubernetes.md for the overlay %s works',
  async (name) => {
    await terminals.run(documentBlocks(guide, name));
    await kubectl('delete', '-k', `k8s/overlays/${name}`, '--timeout=180s');
  },
  300_000,
);

it('the commands of docs/kubernetes.md for distributed storage work, also after k8s/', async () => {
  await kubectl('apply', '-k', 'k8s/');
  await terminals.run(documentBlocks(guide, 'distributed'));
  for (const path of ['bucket.yaml', 'storage/kustomization.yaml']) writeShown(path);
  await terminals.run(documentBlocks(guide, 'bucket'));
  await kubectl('delete', '-k', join(checkout.folder, 'storage'), '--timeout=180s');
}, 300_000);
