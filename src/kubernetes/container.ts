import { bridgeSettings } from '../config/bridge.ts';
import { bridgeTraceSettings } from '../config/traces.ts';
import type { InjectOptions } from './options.ts';
import type { PodLocation } from './pod-location.ts';
import { rankVariables } from './rank.ts';
import type { ManifestMap, ManifestValue } from './yaml/values.ts';

export const containerName = 'otel-metrics-bridge';

/** The path of the metrics file, and the mount that contains it. */
export interface MetricsMount {
  readonly volume: string;
  readonly mountPath: string;
  readonly subPath?: string | undefined;
  readonly subPathExpr?: string | undefined;
  /** What METRICS_FILE_PATH is: a value, or the `valueFrom` of the training container. */
  readonly file: { readonly value: string } | { readonly valueFrom: ManifestValue };
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

export const endpointVariable = 'OTEL_EXPORTER_OTLP_ENDPOINT';

/**
 * The bridge as a container of a pod. It has no startupProbe, and a wrong configuration leaves it idle: a native sidecar
 * that does not start would keep the trainer from starting. It has no readinessProbe: a native sidecar that is not ready
 * makes its pod not ready, and workers could not find their master.
 */
export function bridgeContainer(
  options: InjectOptions,
  mount: MetricsMount,
  location: PodLocation,
  hostNetwork: boolean,
): ManifestMap {
  const { volume, mountPath, subPath, subPathExpr, file } = mount;
  return {
    name: containerName,
    image: options.image,
    imagePullPolicy: 'IfNotPresent',
    ...(options.mode === 'native' ? { restartPolicy: 'Always' } : {}),
    env: environment(options, file, location, hostNetwork),
    ...(hostNetwork ? {} : health()),
    ...(options.mode === 'container'
      ? { lifecycle: { preStop: { exec: { command: waitOutTheTrainer } } } }
      : {}),
    resources: { requests: options.requests, limits: options.limits },
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
 * Kubernetes sends SIGTERM to all containers of a pod at the same time, and the trainer's last write follows it. The
 * image contains no shell, and the clusters that need this mode do not support the `sleep` action.
 */
const waitOutTheTrainer = ['/nodejs/bin/node', '-e', 'setTimeout(()=>{},15000)'];

/** The wait, the bridge's own SHUTDOWN_TIMEOUT, and as much again for the trainer. */
export const containerModeGraceSeconds = 45;

export const graceKey = 'terminationGracePeriodSeconds';

function environment(
  options: InjectOptions,
  file: MetricsMount['file'],
  location: PodLocation,
  hostNetwork: boolean,
): readonly ManifestMap[] {
  return [
    { name: bridgeSettings.onConfigError.variable, value: 'idle' },
    { name: bridgeSettings.sidecarMode.variable, value: options.mode },
    { name: bridgeSettings.metricsFilePath.variable, ...file },
    ...(options.format === undefined
      ? []
      : [{ name: bridgeSettings.metricsFileFormat.variable, value: options.format }]),
    ...(options.rankFiles === undefined
      ? []
      : [{ name: bridgeSettings.rankFiles.variable, value: options.rankFiles }]),
    { name: endpointVariable, value: options.endpoint },
    { name: bridgeTraceSettings.exporter.variable, value: 'otlp' },
    // Two pods with hostNetwork on one node would need the same port.
    ...(hostNetwork ? [{ name: bridgeSettings.healthPort.variable, value: '0' }] : []),
    { name: 'POD_NAME', ...fieldRef('metadata.name') },
    { name: 'POD_NAMESPACE', ...fieldRef('metadata.namespace') },
    { name: 'NODE_NAME', ...fieldRef('spec.nodeName') },
    // A reference resolves only to variables that are defined before it.
    { name: 'OTEL_RESOURCE_ATTRIBUTES', value: resourceAttributes },
    // Logs of frameworks do not contain the name of their job.
    { name: 'JOB_ID', ...fieldRef(location.kind.jobName) },
    ...rankVariables(location),
    ...traceContext(options.trace),
  ];
}

/** Without a known trace, the variables are read from the pod's annotations. A missing annotation gives an empty value. */
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
  return {
    ports: [{ name: 'health', containerPort: bridgeSettings.healthPort.default }],
    livenessProbe: {
      httpGet: { path: '/livez', port: 'health' },
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 3,
    },
  };
}
