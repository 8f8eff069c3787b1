import fc from 'fast-check';

/** A value, or none. */
export const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const present = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, it]) => it !== undefined));

const mount = fc
  .record({
    name: fc.constantFrom('metrics-volume', 'data', 'scratch'),
    mountPath: fc.constantFrom('/shared/metrics', '/shared', '/data', '/out/', '/'),
    subPath: maybe(fc.constant('part')),
    readOnly: maybe(fc.constant(true)),
  })
  .map(present);

/** Kubernetes mounts one volume at a path. */
const mounts = fc.uniqueArray(mount, { maxLength: 2, selector: ({ mountPath }) => mountPath });

const variable = fc.constantFrom(
  { name: 'METRICS_FILE_PATH', value: '/data/current.json' },
  { name: 'METRICS_FILE_PATH', value: '/shared/metrics/now.json' },
  { name: 'EPOCHS', value: '20' },
  { name: 'FLAG', value: 'yes' },
  { name: 'TRACEPARENT', value: 'mine' },
);

const securityContext = maybe(
  fc.constantFrom({}, { runAsUser: 1000 }, { runAsNonRoot: true, runAsGroup: 2000 }),
);

const container = (name: string, restartPolicy?: string) =>
  fc
    .record({
      image: fc.constantFrom('train:1', `registry.example.com/train@sha256:${'01'.repeat(32)}`),
      restartPolicy: maybe(fc.constant(restartPolicy)),
      securityContext,
      envFrom: maybe(fc.constant([{ configMapRef: { name: 'train', optional: true } }])),
      command: maybe(fc.constant(['sh', '-c', '# a script\necho one\n\n  # two\necho three\n'])),
      env: maybe(fc.uniqueArray(variable, { maxLength: 2, selector: ({ name: it }) => it })),
      volumeMounts: maybe(fc.oneof(mounts, fc.constant(null))),
    })
    .map((rest) => present({ name, ...rest }));

const containers = (names: readonly string[], minLength: number, restartPolicy?: string) =>
  fc
    .subarray([...names], { minLength })
    .chain((chosen) => fc.tuple(...chosen.map((name) => container(name, restartPolicy))));

const podSpec = fc
  .record({
    restartPolicy: maybe(fc.constant('Never')),
    hostNetwork: maybe(fc.constant(true)),
    // Kubernetes allows one of them.
    processes: fc.constantFrom({}, { hostPID: true }, { shareProcessNamespace: true }),
    securityContext,
    terminationGracePeriodSeconds: maybe(fc.constantFrom(null, 10, 100)),
    initContainers: maybe(
      fc.oneof(containers(['istio-init', 'istio-proxy', 'fetch-data'], 0, 'Always'), fc.constant(null)),
    ),
    containers: containers(['trainer', 'linkerd-proxy', 'logs'], 1),
    volumes: maybe(
      fc.oneof(
        fc.constantFrom(null, []),
        fc
          .uniqueArray(fc.constantFrom('metrics-volume', 'data'), { minLength: 1 })
          .map((names) => names.map((name) => ({ name, emptyDir: {} }))),
      ),
    ),
  })
  .map(({ processes, ...spec }) => present(withVolumes({ ...processes, ...spec })));

/** A pod that mounts a volume it does not have is none. */
function withVolumes<T extends { containers: readonly unknown[]; initContainers: unknown; volumes: unknown }>(
  spec: T,
): T {
  const all = [...spec.containers, ...((spec.initContainers as unknown[] | null | undefined) ?? [])];
  const mounted = all.flatMap(
    (it) => (it as { volumeMounts?: { name: string }[] | null }).volumeMounts ?? [],
  );
  const volumes = (spec.volumes as { name: string }[] | null | undefined) ?? [];
  const names = new Set(mounted.map(({ name }) => name));
  for (const { name } of volumes) names.delete(name);
  const missing = [...names].map((name) => ({ name, emptyDir: {} }));
  return missing.length === 0 ? spec : { ...spec, volumes: [...volumes, ...missing] };
}

const metadata = maybe(
  fc.constantFrom(
    null,
    {},
    { labels: { a: 'b' } },
    { annotations: {} },
    { annotations: null },
    {
      annotations: { 'opentelemetry.io/traceparent': 'mine' },
    },
  ),
);

export const template = fc.record({ metadata, spec: podSpec }).map(present);
/** A Pod, or a Job with a template of one. */
export const resource = template.chain((holder) =>
  fc.constantFrom(
    { apiVersion: 'v1', kind: 'Pod', ...holder },
    { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'train' }, spec: { template: holder } },
  ),
);
