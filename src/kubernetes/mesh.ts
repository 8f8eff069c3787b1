/** Containers that a service mesh puts into a pod. They train nothing, and are left as they are. */
const meshContainers: ReadonlySet<string> = new Set([
  'istio-init',
  'istio-proxy',
  'istio-validation',
  'linkerd-init',
  'linkerd-network-validator',
  'linkerd-proxy',
]);

export const isMeshContainer = (name: string | undefined) => name !== undefined && meshContainers.has(name);
