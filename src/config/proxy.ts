import type { Environment } from '../common/setting.ts';

const proxyVariables = new Set(['grpc_proxy', 'https_proxy', 'http_proxy', 'all_proxy']);

/**
 * One warning that names the proxy variables of the environment, without their values. The Collector is reached without
 * them, because they are usually set for the trainer's downloads, and the Collector is inside the cluster.
 */
export function proxyWarnings(environment: Environment, usedBy: 'heartbeat' | 'nothing'): readonly string[] {
  const set = Object.keys(environment).filter(
    (name) => proxyVariables.has(name.toLowerCase()) && environment[name]?.trim(),
  );
  if (set.length === 0) return [];
  const use = usedBy === 'heartbeat' ? 'used only for the heartbeat' : 'ignored';
  return [
    `${set.join(', ')} ${set.length === 1 ? 'is' : 'are'} ${use}: the bridge connects to the Collector without a proxy`,
  ];
}
