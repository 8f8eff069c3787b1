export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** Prometheus' answer to an instant query. `time` is Unix time in seconds, now if not given. */
export async function instantQuery(
  url: string,
  expression: string,
  time?: number,
): Promise<readonly Sample[]> {
  const { result } = await ask<{ result: { metric: Labels; value?: [number, string] }[] }>(url, '/query', {
    query: expression,
    ...(time === undefined ? {} : { time: String(time) }),
  });
  // A native histogram has no one value.
  return result.map(({ metric, value }) => ({ labels: metric, value: Number(value?.[1]) }));
}

/** Asks the HTTP API, version 1, and gives the `data` of its answer. */
export async function ask<T>(
  url: string,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<T> {
  const address = new URL(`${url}/api/v1${path}`);
  address.search = new URLSearchParams(parameters).toString();
  const answer = (await (await fetch(address)).json()) as { status: string; data: T; error?: string };
  if (answer.status !== 'success') throw new Error(`${address}: ${answer.error}`);
  return answer.data;
}
