import { freePort } from '../support/port.ts';
import { until } from '../support/until.ts';
import { answers, type Program, startProgram, takesConnections } from './program.ts';

/** A span as Jaeger has it. */
export interface JaegerSpan {
  readonly name: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly service: string;
  readonly tags: Readonly<Record<string, unknown>>;
  readonly startMs: number;
  readonly durationMs: number;
  readonly warnings: readonly string[];
}

export interface JaegerApi {
  /** The spans of a trace; waits until `names` are all among them. */
  trace(traceId: string, names: readonly string[]): Promise<readonly JaegerSpan[]>;
  /** The ids of the traces that Jaeger's search finds, such as by `service` and `tags`. */
  search(parameters: Readonly<Record<string, string>>): Promise<readonly string[]>;
}

export interface Jaeger extends Program, JaegerApi {
  /** Host and port of its OTLP/gRPC receiver. */
  readonly otlp: string;
  /** For JAEGER_URL. */
  readonly url: string;
}

/** Jaeger from the PATH with nothing but OTLP, its memory and its API, on free ports. */
export async function startJaeger(): Promise<Jaeger> {
  const [otlp, http, grpc] = [await freePort(), await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  const program = await startProgram({
    program: 'jaeger',
    args: [`--config=yaml:${JSON.stringify(configuration(otlp, http, grpc))}`],
    // Its API is there before its receiver.
    isReady: async () => (await answers(`${url}/api/services`)) && (await takesConnections(otlp)),
  });
  return { ...program, ...jaegerApi(url), otlp: `127.0.0.1:${otlp}`, url };
}

/** The API of a Jaeger at an address. */
export function jaegerApi(url: string): JaegerApi {
  const ask = async (path: string) => {
    const response = await fetch(url + path);
    const { data } = (await response.json()) as { data: readonly Trace[] | null };
    return data ?? [];
  };
  return {
    trace: (traceId, names) =>
      until(
        async () => {
          const spans = (await ask(`/api/traces/${traceId}`)).flatMap(spansOf);
          return names.every((name) => spans.some((span) => span.name === name)) && spans;
        },
        `${names.join(', ')} in trace ${traceId}`,
      ),
    search: async (parameters) =>
      (await ask(`/api/traces?${new URLSearchParams(parameters)}`)).map(({ traceID }) => traceID),
  };
}

const local = (port: number) => ({ endpoint: `127.0.0.1:${port}` });

const configuration = (otlp: number, http: number, grpc: number) => ({
  service: {
    extensions: ['jaeger_storage', 'jaeger_query'],
    telemetry: { metrics: { level: 'none' } },
    pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
  },
  extensions: {
    jaeger_storage: { backends: { memory: { memory: { max_traces: 10_000 } } } },
    jaeger_query: { storage: { traces: 'memory' }, http: local(http), grpc: local(grpc) },
  },
  receivers: { otlp: { protocols: { grpc: local(otlp) } } },
  exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
});

/** What is used of the answers of Jaeger's HTTP API; times in microseconds. */
interface Trace {
  readonly traceID: string;
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
  readonly spans: readonly {
    readonly operationName: string;
    readonly spanID: string;
    readonly processID: string;
    readonly references: readonly { readonly refType: string; readonly spanID: string }[];
    readonly tags: readonly { readonly key: string; readonly value: unknown }[];
    readonly startTime: number;
    readonly duration: number;
    readonly warnings: readonly string[] | null;
  }[];
}

const spansOf = ({ processes, spans }: Trace): readonly JaegerSpan[] =>
  spans.map((span) => ({
    name: span.operationName,
    spanId: span.spanID,
    parentSpanId: span.references.find(({ refType }) => refType === 'CHILD_OF')?.spanID,
    service: processes[span.processID]?.serviceName ?? '',
    tags: Object.fromEntries(span.tags.map(({ key, value }) => [key, value])),
    startMs: span.startTime / 1000,
    durationMs: span.duration / 1000,
    warnings: span.warnings ?? [],
  }));
