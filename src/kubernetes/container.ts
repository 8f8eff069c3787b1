import { bridgeSettings } from '../config/bridge.ts';
import { bridgeTraceSettings } from '../config/traces.ts';
import type { InjectOptions } from './options.ts';

export const containerName = 'otel-metrics-bridge';

/** Where the bridge finds the file, and by which mount. */
export interface MetricsMount {
  readonly volume: string;
  readonly mountPath: string;
  readonly subPath?: string | undefined;
  readonly subPathExpr?: string | undefined;
  /** What METRICS_FILE_PATH is: a value, or the `valueFrom` of the training container. */
  readonly file: { readonly value: string } | { readonly valueFrom: unknown };
}

const fieldRef = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });

const resourceAttributes = [
  'k8s.namespace.name=$(POD_NAMESPACE)',
  'k8s.pod.name=$(POD_NAME)',
  `k8s.container.name=${containerName}`,
  'k8s.node.name=$(NODE_NAME)',
].join(',');

const restricted = {
  runAsNonRoot: true,
  runAsUser: 65532,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/**
 * The bridge as a container of a pod. There is no startupProbe, and a wrong configuration leaves it idle: a native
 * sidecar that does not start would keep the trainer from starting.
 */
export function bridgeContainer(options: InjectOptions, mount: MetricsMount, hostNetwork: boolean) {
  const { volume, mountPath, subPath, subPathExpr, file } = mount;
  return {
    name: containerName,
    image: options.image,
    imagePullPolicy: 'IfNotPresent',
    ...(options.mode === 'native' ? { restartPolicy: 'Always' } : {}),
    env: environment(options, file, hostNetwork),
    ...(hostNetwork ? {} : health()),
    ...(options.mode === 'container'
      ? { lifecycle: { preStop: { exec: { command: waitOutTheTrainer } } } }
      : {}),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '200m', memory: '256Mi' } },
    securityContext: restricted,
    volumeMounts: [
      {
        name: volume,
        mountPath,
        ...(subPath === undefined ? {} : { subPath }),
        ...(subPathExpr === undefined ? {} : { subPathExpr }),
        readOnly: true,
      },
    ],
  };
}

/**
 * All containers of a pod are told to end at the same time, and the trainer's last write comes after that. The image
 * has no shell to sleep in, and the `sleep` action is younger than the clusters this is for.
 */
const waitOutTheTrainer = ['/nodejs/bin/node', '-e', 'setTimeout(()=>{},15000)'];

/** The wait, the bridge's own SHUTDOWN_TIMEOUT, and as much again for the trainer. */
export const containerModeGraceSeconds = 45;

export const graceKey = 'terminationGracePeriodSeconds';

function environment(options: InjectOptions, file: MetricsMount['file'], hostNetwork: boolean) {
  return [
    { name: bridgeSettings.onConfigError.variable, value: 'idle' },
    ...(options.mode === 'container'
      ? [{ name: bridgeSettings.sidecarMode.variable, value: 'container' }]
      : []),
    { name: bridgeSettings.metricsFilePath.variable, ...file },
    { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: options.endpoint },
    { name: bridgeTraceSettings.exporter.variable, value: 'otlp' },
    // On the node's own network two pods of one node would want the same port.
    ...(hostNetwork ? [{ name: bridgeSettings.healthPort.variable, value: '0' }] : []),
    { name: 'POD_NAME', ...fieldRef('metadata.name') },
    { name: 'POD_NAMESPACE', ...fieldRef('metadata.namespace') },
    { name: 'NODE_NAME', ...fieldRef('spec.nodeName') },
    // After the names it is made of: a reference reaches back only.
    { name: 'OTEL_RESOURCE_ATTRIBUTES', value: resourceAttributes },
    {
      name: 'JOB_COMPLETION_INDEX',
      ...fieldRef("metadata.annotations['batch.kubernetes.io/job-completion-index']"),
    },
    ...traceContext(options.trace),
  ];
}

/** Without a trace that is known now it is that of the pod's annotations; one that is not there gives an empty value. */
function traceContext(trace: InjectOptions['trace']) {
  if (trace === undefined)
    return ['traceparent', 'tracestate'].map((name) => ({
      name: name.toUpperCase(),
      ...fieldRef(`metadata.annotations['opentelemetry.io/${name}']`),
    }));
  const { traceparent, tracestate } = trace;
  return [
    { name: 'TRACEPARENT', value: traceparent },
    ...(tracestate ? [{ name: 'TRACESTATE', value: tracestate }] : []),
  ];
}

function health() {
  const probe = (path: string) => ({
    httpGet: { path, port: 'health' },
    periodSeconds: 10,
    timeoutSeconds: 5,
  });
  return {
    ports: [{ name: 'health', containerPort: bridgeSettings.healthPort.default }],
    livenessProbe: { ...probe('/livez'), failureThreshold: 3 },
    readinessProbe: probe('/readyz'),
  };
}
