import type { Environment } from '../common/setting.ts';

const proxyVariables = new Set(['grpc_proxy', 'https_proxy', 'http_proxy', 'all_proxy']);

/**
 * One warning that names the proxy variables of the environment, without their values. They are ignored, because they
 * are usually set for the trainer's downloads, and the Collector is inside the cluster.
 */
export function proxyWarnings(environment: Environment): readonly string[] {
  const set = Object.keys(environment).filter(
    (name) => proxyVariables.has(name.toLowerCase()) && environment[name]?.trim(),
  );
  if (set.length === 0) return [];
  return [
    `${set.join(', ')} ${set.length === 1 ? 'is' : 'are'} ignored: the bridge connects to the Collector without a proxy`,
  ];
}
