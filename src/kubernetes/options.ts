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
  { name: 'remove', description: 'Take the bridge out again' },
  { name: 'trace', description: 'Put in the active trace context, from TRACEPARENT and TRACESTATE' },
  { name: 'filename', short: 'f', argument: 'FILE', description: 'The manifests; - is standard input' },
] as const;

export type Mode = 'native' | 'container';

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
  /** Name of the container that trains; found by itself where it is not given. */
  readonly container: string | undefined;
  /** Name of the volume to look for, and of the one that is added where there is none. */
  readonly volume: string;
  readonly trace: TraceContext | undefined;
}

export const defaults: InjectOptions = {
  mode: 'native',
  image: 'ml-metrics-bridge:latest',
  endpoint: 'http://otel-collector:4317',
  container: undefined,
  volume: 'metrics-volume',
  trace: undefined,
};

export type TraceReading =
  | { readonly status: 'ok'; readonly trace: TraceContext }
  | { readonly status: 'invalid'; readonly reason: string };

const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace context a process was started in, by the variables that carry it. */
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
