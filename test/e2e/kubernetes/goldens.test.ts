import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldens } from '../../kubernetes/goldens.ts';
import { apply, kubectl } from './command.ts';
import { installCrds } from './crds.ts';

const runtimes = goldens.filter(
  ({ name }) => name === 'clustertrainingruntime' || name === 'trainingruntime',
);

/** Of the TrainJobs that report their status. A dry run needs it. */
const namespace = 'ml';

let uninstall: (() => Promise<void>) | undefined;
beforeAll(async () => {
  uninstall = await installCrds();
  await apply(`apiVersion: v1\nkind: Namespace\nmetadata: { name: ${namespace} }\n`);
  // Where the controller of Trainer runs, it accepts a TrainJob only once its runtime is there.
  for (const { path } of runtimes) await apply(readFileSync(path, 'utf8'));
});
afterAll(async () => {
  await kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--wait=false');
  for (const { path } of runtimes) await kubectl('delete', '-f', path, '--ignore-not-found');
  await uninstall?.();
});

it.each(goldens)('the API server takes $name', async ({ path }) => {
  expect(await apply(readFileSync(path, 'utf8'), '--dry-run=server', '--validate=strict')).toContain(
    '(server dry run)',
  );
});

it('and refuses one that is wrong', async () => {
  const path = goldens.find(({ name }) => name === 'pytorchjob')?.path ?? '';
  const wrong = readFileSync(path, 'utf8').replaceAll('mountPath:', 'mountPaht:');
  await expect(apply(wrong, '--dry-run=server', '--validate=strict')).rejects.toThrow(/mountPaht/);
});
