import { until } from '../../support/until.ts';
import { kubectl } from './command.ts';

/** The API of the Prometheus that the Prometheus Operator runs in the namespace `monitoring`, through the API server. */
async function get<T>(path: string): Promise<T> {
  const pod = '/api/v1/namespaces/monitoring/pods/prometheus-prometheus-0:9090/proxy';
  const { status, data } = JSON.parse(await kubectl('get', '--raw', `${pod}/api/v1/${path}`));
  if (status !== 'success') throw new Error(`Prometheus refuses ${path}`);
  return data;
}

/** The kubelet passes new configuration on once a minute, and at once to a pod that changes. */
const refreshPrometheus = () =>
  kubectl(
    ...['-n', 'monitoring', 'annotate', 'pod', 'prometheus-prometheus-0'],
    ...[`refreshed=${Date.now()}`, '--overwrite'],
  );

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export async function queryOperator(expression: string): Promise<readonly Series[]> {
  interface Vector {
    readonly result: readonly { metric: Record<string, string>; value: [number, string] }[];
  }
  const { result } = await get<Vector>(`query?${new URLSearchParams({ query: expression })}`);
  return result.map(({ metric, value: [, text] }) => ({ labels: metric, value: Number(text) }));
}

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly query: string;
}

/** The rules of our groups, as Prometheus has loaded them. */
export async function loadedRules(): Promise<readonly Rule[]> {
  const { groups } = await get<{ groups: { name: string; rules: Rule[] }[] }>('rules');
  return groups.filter(({ name }) => name.startsWith('ml-')).flatMap(({ rules }) => rules);
}

export interface Target {
  readonly health: string;
  readonly lastError: string;
  readonly scrapePool: string;
}

export async function collectorTargets(namespace: string): Promise<readonly Target[]> {
  const { activeTargets } = await get<{ activeTargets: Target[] }>('targets?state=active');
  return activeTargets.filter(({ scrapePool }) => scrapePool.includes(`/${namespace}/otel-collector/`));
}

/** Waits until Prometheus has, or no longer has, the rules and the scrape of the Collector in a namespace. */
export async function prometheusKnows(namespace: string, expected: boolean): Promise<void> {
  await until(
    async () => {
      await refreshPrometheus();
      const [rules, targets] = [await loadedRules(), await collectorTargets(namespace)];
      return rules.length > 0 === expected && targets.length > 0 === expected;
    },
    `Prometheus to ${expected ? 'know' : 'forget'} the Collector in ${namespace}`,
    120_000,
  );
}

/** This Prometheus remembers the jobs of earlier runs of the tests. */
export const uniqueName = (name: string) => `${name}-${Date.now().toString(36)}`;
