import type { Environment } from '../common/setting.ts';

/** The variables that gRPC for Node.js would take a proxy from. */
export const proxyVariables = ['grpc_proxy', 'https_proxy', 'http_proxy'] as const;

/** The bridge connects to the Collector directly, because a proxy between a sidecar and its Collector is set by mistake. */
export function proxyWarnings(environment: Environment): readonly string[] {
  const known = new Set([...proxyVariables, 'all_proxy']);
  const set = Object.keys(environment).filter(
    (name) => known.has(name.toLowerCase()) && environment[name]?.trim(),
  );
  if (set.length === 0) return [];
  return [
    `${set.join(', ')} ${set.length === 1 ? 'is' : 'are'} ignored: the bridge connects to the Collector without a proxy`,
  ];
}
