import { metricsFileFormats } from '../catalogue/file-formats.ts';
import type { Environment } from '../common/setting.ts';

/** The command line of `inject`, as data for help and completion. */
export const injectOptions = [
  {
    name: 'mode',
    argument: 'MODE',
    choices: ['native', 'container'],
    description:
      'native: a native sidecar. container: a plain container, for clusters before Kubernetes 1.29',
  },
  { name: 'image', argument: 'REF', description: 'Image of the bridge; ml-metrics-bridge:latest' },
  {
    name: 'endpoint',
    argument: 'URL',
    description: 'Address of the Collector as the pod sees it; http://otel-collector:4317',
  },
  { name: 'container', argument: 'NAME', description: 'The container that trains, where a pod has several' },
  { name: 'volume', argument: 'NAME', description: 'The volume the metrics file is on; metrics-volume' },
  {
    name: 'metrics-path',
    argument: 'PATH',
    description:
      'The metrics file as the training container sees it, if no variable METRICS_FILE_PATH says it',
  },
  {
    name: 'rank-files',
    argument: 'GLOB',
    description:
      'Files of the other ranks in the pod, on the volume of the metrics file, as in /shared/metrics/rank-*.json; a value of RANK_FILES',
  },
  {
    name: 'requests',
    argument: 'LIST',
    description: 'Resource requests of the bridge; cpu=10m,memory=64Mi',
  },
  {
    name: 'limits',
    argument: 'LIST',
    description: 'Resource limits of the bridge; cpu=200m,memory=256Mi',
  },
  {
    name: 'ray-nodes',
    argument: 'NODES',
    choices: ['all', 'head', 'workers'],
    description: 'Which pods of a Ray cluster get the bridge: those that write the metrics file; all',
  },
  {
    name: 'format',
    argument: 'FORMAT',
    choices: metricsFileFormats,
    description: 'Format of the metrics file, if it is not found by itself; a value of METRICS_FILE_FORMAT',
  },
  { name: 'strict', description: 'Refuse unknown kinds, which are otherwise passed through unchanged' },
  { name: 'remove', description: 'Remove the bridge' },
  { name: 'trace', description: 'Add the active trace context, from TRACEPARENT and TRACESTATE' },
  {
    name: 'trainjob-status',
    description: 'Post progress and metrics to the status of a Kubeflow TrainJob',
  },
  {
    name: 'replicated-job',
    argument: 'NAME',
    description:
      "With --trace or --trainjob-status: the replicated job of a TrainJob's runtime that trains; node, as in Kubeflow's runtimes",
  },
  {
    name: 'filename',
    short: 'f',
    argument: 'FILE',
    once: true,
    description: 'The manifests; - is standard input',
  },
] as const;

export type Mode = 'native' | 'container';

/** Pods of a Ray cluster. */
export type RayNodes = 'all' | 'head' | 'workers';

/** Quantities by resource: `{ cpu: '10m', memory: '64Mi' }`. */
export type ResourceList = Readonly<Record<string, string>>;

/** W3C trace context, https://www.w3.org/TR/trace-context/. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate: string | undefined;
}

export interface InjectOptions {
  readonly mode: Mode;
  readonly image: string;
  /** Address of the Collector as the pod sees it. */
  readonly endpoint: string;
  /** Name of the container that trains; detected if undefined. */
  readonly container: string | undefined;
  /** Name of the volume to look for, and of the volume that is added if there is none. */
  readonly volume: string;
  /** Absolute path of the metrics file in the training container; found if undefined. */
  readonly metricsPath: string | undefined;
  /** METRICS_FILE_FORMAT; found by the bridge if undefined. */
  readonly format: string | undefined;
  /** RANK_FILES, an absolute glob; not set if undefined. */
  readonly rankFiles: string | undefined;
  readonly trace: TraceContext | undefined;
  /** Whether the bridge posts the status of a TrainJob. */
  readonly trainJobStatus: boolean;
  /** The replicated job of a TrainJob's runtime whose pods are patched; `node` if undefined. */
  readonly replicatedJob: string | undefined;
  readonly requests: ResourceList;
  readonly limits: ResourceList;
  readonly rayNodes: RayNodes;
  /** Whether an unknown kind is refused; otherwise it is passed through if the manifest contains a known one. */
  readonly strict: boolean;
  /** The options that the user gave. A bridge that is already there is changed to these only. */
  readonly asked: ReadonlySet<keyof InjectOptions>;
}

export const injectDefaults: InjectOptions = {
  mode: 'native',
  image: 'ml-metrics-bridge:latest',
  endpoint: 'http://otel-collector:4317',
  container: undefined,
  volume: 'metrics-volume',
  metricsPath: undefined,
  format: undefined,
  rankFiles: undefined,
  trace: undefined,
  trainJobStatus: false,
  replicatedJob: undefined,
  requests: { cpu: '10m', memory: '64Mi' },
  limits: { cpu: '200m', memory: '256Mi' },
  rayNodes: 'all',
  strict: false,
  asked: new Set(),
};

export type ResourceReading =
  | { readonly status: 'ok'; readonly resources: ResourceList }
  | { readonly status: 'invalid'; readonly reason: string };

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const quantity = /^\d+(\.\d+)?([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?$/;

/** Reads `cpu=10m,memory=64Mi`, as `kubectl set resources` does. */
export function readResources(text: string): ResourceReading {
  const entries = text.split(',').map((entry) => entry.split('='));
  const wrong = entries.find(
    ([name = '', value = '', ...rest]) => name === '' || rest.length > 0 || !quantity.test(value),
  );
  if (wrong !== undefined)
    return {
      status: 'invalid',
      reason: `${JSON.stringify(wrong.join('='))} is not RESOURCE=QUANTITY, as in cpu=10m,memory=64Mi`,
    };
  return { status: 'ok', resources: Object.fromEntries(entries) };
}

export type TraceReading =
  | { readonly status: 'ok'; readonly trace: TraceContext }
  | { readonly status: 'invalid'; readonly reason: string };

const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace context of a process, from its environment variables. */
export function readTraceContext(environment: Environment): TraceReading {
  const traceparent = environment.TRACEPARENT?.trim();
  if (!traceparent) return { status: 'invalid', reason: 'TRACEPARENT is not set, so no trace is active' };
  if (!traceparentPattern.test(traceparent)) {
    const shown = JSON.stringify(traceparent.slice(0, 100));
    return {
      status: 'invalid',
      reason: `TRACEPARENT is ${shown}: expected the form 00-<32 hexadecimal digits>-<16>-<2>`,
    };
  }
  return { status: 'ok', trace: { traceparent, tracestate: environment.TRACESTATE?.trim() || undefined } };
}
