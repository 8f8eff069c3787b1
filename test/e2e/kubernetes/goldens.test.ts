import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { goldens } from '../../kubernetes/goldens.ts';
import { apply } from './command.ts';
import { installCrds } from './crds.ts';

let uninstall: (() => Promise<void>) | undefined;
beforeAll(async () => {
  uninstall = await installCrds();
});
afterAll(() => uninstall?.());

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
