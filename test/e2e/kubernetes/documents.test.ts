import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, inject as provided } from 'vitest';
import { documentBlocks } from '../../support/document-blocks.ts';
import { openTerminals, type Terminals } from '../../support/terminals.ts';
import { until } from '../../support/until.ts';
import { type Checkout, createCheckout } from '../checkout.ts';
import { lastValue, namespace } from './cluster.ts';
import { kubectl } from './command.ts';

const documentOf = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const readme = documentOf('README.md');
const guide = documentOf('docs/kubernetes.md');

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

it.each(['start', 'inject', 'admission', 'delete'])(
  'the commands of docs/kubernetes.md for %s work',
  async (name) => {
    await terminals.run(documentBlocks(guide, name));
  },
  900_000,
);

it('nothing is left afterwards', async () => {
  const left = await kubectl('get', 'namespace', namespace, '--ignore-not-found', '-o', 'name');
  expect(left).toBe('');
});
