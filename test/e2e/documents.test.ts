import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { documentBlocks } from '../support/document-blocks.ts';
import { openTerminals, type Terminals } from '../support/terminals.ts';
import { until } from '../support/until.ts';
import { type Checkout, createCheckout } from './checkout.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

let checkout: Checkout;
let terminals: Terminals;

beforeAll(async () => {
  checkout = await createCheckout();
  terminals = openTerminals({ folder: checkout.folder, environment: { COMPOSE_FILE: composeFiles() } });
});
afterAll(async () => {
  await terminals?.close();
  await checkout?.remove();
});

/** The stack without Grafana, as in the other tests of it. */
function composeFiles(): string {
  const override = join(checkout.folder, 'without-grafana.json');
  writeFileSync(override, JSON.stringify({ services: { grafana: { profiles: ['grafana'] } } }));
  return `docker-compose.yaml:${override}`;
}

async function series(expression: string): Promise<readonly unknown[]> {
  const url = `http://localhost:9090/api/v1/query?${new URLSearchParams({ query: expression })}`;
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) return [];
  const answer = (await response.json()) as { data: { result: readonly unknown[] } };
  return answer.data.result;
}

it('the commands of the README work on one machine, in a fresh clone', async () => {
  await terminals.run(documentBlocks(readme, 'laptop'));
  await terminals.close();
});

it('the commands of the README start the stack with Docker Compose, and stop it', async () => {
  try {
    await terminals.run(documentBlocks(readme, 'compose'));
    await until(async () => (await series('ml_training_loss')).length > 0, 'the loss in Prometheus', 60_000);
  } finally {
    await terminals.run(documentBlocks(readme, 'compose-down'));
  }
  expect(await series('ml_training_loss')).toEqual([]);
}, 600_000);
