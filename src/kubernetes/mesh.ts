/** Containers that a service mesh adds to a pod. They do not train, and are not changed. */
const meshContainers: ReadonlySet<string> = new Set([
  'istio-init',
  'istio-proxy',
  'istio-validation',
  'linkerd-init',
  'linkerd-network-validator',
  'linkerd-proxy',
]);

export const isMeshContainer = (name: string | undefined) => name !== undefined && meshContainers.has(name);
