import { ask as askPrometheus, instantQuery, type Sample } from '../../support/prometheus.ts';
import type { Stack } from './stack.ts';

export type { Labels } from '../../support/prometheus.ts';

/** Prometheus' answer to an instant query. */
export const query = async (stack: Stack, expression: string): Promise<readonly Sample[]> =>
  instantQuery(await stack.url('prometheus', 9090), expression);

/** The value of a query that has one series; fails where it has none or several. */
export async function queryOne(stack: Stack, expression: string): Promise<number> {
  const [sample, ...others] = await query(stack, expression);
  if (sample === undefined || others.length > 0)
    throw new Error(`${expression} has ${others.length + (sample ? 1 : 0)} series, not one`);
  return sample.value;
}

/** Asks the HTTP API, version 1, and gives the `data` of its answer. */
export const ask = async <T>(
  stack: Stack,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<T> => askPrometheus<T>(await stack.url('prometheus', 9090), path, parameters);
