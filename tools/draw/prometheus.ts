/** One series of an answer: its labels, and its values by Unix seconds. */
export interface Answer {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

export interface TimeRange {
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
}

interface Response {
  readonly data?: {
    readonly result: readonly {
      readonly metric: Answer['labels'];
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
  readonly error?: string;
}

/** Number of steps of a curve. */
export const steps = 160;

/** Asks Prometheus for a query over a time. The last point of each series is its value at the end. */
export async function queryRange(
  url: string,
  query: string,
  { from, to }: TimeRange,
  points = steps,
): Promise<readonly Answer[]> {
  const parameters = new URLSearchParams({
    query,
    start: String(from),
    end: String(to),
    step: String((to - from) / points),
  });
  const response = await fetch(`${url}/api/v1/query_range?${parameters}`);
  const { data, error } = (await response.json()) as Response;
  if (data === undefined) throw new Error(`${query}: ${error}`);
  return data.result.map(({ metric, values }) => ({
    labels: metric,
    points: values.map(([seconds, value]) => [seconds, Number(value)] as const),
  }));
}
