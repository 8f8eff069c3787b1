import { namespace } from './cluster.ts';
import { kubectl } from './command.ts';

/** Of Grafana's data source. */
export const thanosAddress = `http://thanos-query.${namespace}:9090`;

interface Series<V> {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: V;
}

/** Asks the API of Thanos Query, through the API server. */
async function get<T>(path: string): Promise<T> {
  const service = `/api/v1/namespaces/${namespace}/services/thanos-query:http/proxy`;
  const { status, data } = JSON.parse(await kubectl('get', '--raw', `${service}/api/v1/${path}`));
  if (status !== 'success') throw new Error(`Thanos refuses ${path}`);
  return data;
}

export interface StoredSample {
  readonly timeMs: number;
  readonly value: number;
  readonly replica: string;
}

/** Every sample of a selector, of every replica: deduplication passes over samples where it changes replicas. */
export async function stored(selector: string): Promise<readonly StoredSample[]> {
  const query = new URLSearchParams({ query: `${selector}[30m]`, dedup: 'false' });
  const { result } = await get<{ result: Series<[number, string][]>[] }>(`query?${query}`);
  return result.flatMap(({ metric, values }) =>
    values.map(([seconds, value]) => ({
      timeMs: Math.round(seconds * 1_000),
      value: Number(value),
      replica: metric.replica ?? '',
    })),
  );
}

export interface StoredStep {
  /** Of its first sample. */
  readonly timeMs: number;
  /** How many have that sample. */
  readonly replicas: number;
}

/** The steps of a job whose loss is the number of the step. */
export async function storedSteps(job: string): Promise<ReadonlyMap<number, StoredStep>> {
  const samples = await stored(`ml_training_loss{job_id="${job}"}`);
  const steps = new Map<number, StoredStep>();
  for (const step of new Set(samples.map(({ value }) => value))) {
    const of = samples.filter(({ value }) => value === step);
    const timeMs = Math.min(...of.map((sample) => sample.timeMs));
    const first = of.filter((sample) => sample.timeMs === timeMs);
    steps.set(step, { timeMs, replicas: new Set(first.map(({ replica }) => replica)).size });
  }
  return steps;
}

interface Rule {
  readonly name: string;
  readonly health: string;
}

/** The rules that Thanos Rule has loaded. */
export async function thanosRules(): Promise<readonly Rule[]> {
  const { groups } = await get<{ groups: { rules: Rule[] }[] }>('rules');
  return groups.flatMap(({ rules }) => rules);
}
