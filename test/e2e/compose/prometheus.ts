import type { Stack } from './stack.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Prometheus' answer to an instant query. */
export async function query(stack: Stack, expression: string): Promise<readonly Sample[]> {
  const { result } = await ask<{ result: { metric: Labels; value: [number, string] }[] }>(stack, '/query', {
    query: expression,
  });
  return result.map(({ metric, value: [, text] }) => ({ labels: metric, value: Number(text) }));
}

/** The value of a query that has one series; fails where it has none or several. */
export async function queryOne(stack: Stack, expression: string): Promise<number> {
  const [sample, ...others] = await query(stack, expression);
  if (sample === undefined || others.length > 0)
    throw new Error(`${expression} has ${others.length + (sample ? 1 : 0)} series, not one`);
  return sample.value;
}

/** Asks the HTTP API, version 1, and gives the `data` of its answer. */
export async function ask<T>(
  stack: Stack,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<T> {
  const url = new URL(`${await stack.url('prometheus', 9090)}/api/v1${path}`);
  url.search = new URLSearchParams(parameters).toString();
  const answer = (await (await fetch(url)).json()) as { status: string; data: T; error?: string };
  if (answer.status !== 'success') throw new Error(`${url}: ${answer.error}`);
  return answer.data;
}
