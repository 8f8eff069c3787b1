import protobuf from 'protobufjs/light.js';

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Unix milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  readonly events: readonly ReceivedEvent[];
  readonly resource: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage: string;
  /** The lower eight bits are the W3C trace flags. */
  readonly flags: number;
}

export interface ReceivedEvent {
  readonly name: string;
  readonly timeMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

// Field numbers: opentelemetry-proto, collector/trace/v1, trace/v1, resource/v1 and common/v1.
const root = protobuf.Root.fromJSON({
  nested: {
    Request: { fields: { resourceSpans: { rule: 'repeated', type: 'ResourceSpans', id: 1 } } },
    ResourceSpans: {
      fields: {
        resource: { type: 'Resource', id: 1 },
        scopeSpans: { rule: 'repeated', type: 'ScopeSpans', id: 2 },
      },
    },
    Resource: { fields: { attributes: { rule: 'repeated', type: 'KeyValue', id: 1 } } },
    ScopeSpans: { fields: { spans: { rule: 'repeated', type: 'Span', id: 2 } } },
    Span: {
      fields: {
        traceId: { type: 'bytes', id: 1 },
        spanId: { type: 'bytes', id: 2 },
        parentSpanId: { type: 'bytes', id: 4 },
        name: { type: 'string', id: 5 },
        startTime: { type: 'fixed64', id: 7 },
        endTime: { type: 'fixed64', id: 8 },
        attributes: { rule: 'repeated', type: 'KeyValue', id: 9 },
        events: { rule: 'repeated', type: 'Event', id: 11 },
        status: { type: 'Status', id: 15 },
        flags: { type: 'fixed32', id: 16 },
      },
    },
    Event: {
      fields: {
        time: { type: 'fixed64', id: 1 },
        name: { type: 'string', id: 2 },
        attributes: { rule: 'repeated', type: 'KeyValue', id: 3 },
      },
    },
    Status: { fields: { message: { type: 'string', id: 2 }, code: { type: 'int32', id: 3 } } },
    KeyValue: { fields: { key: { type: 'string', id: 1 }, value: { type: 'AnyValue', id: 2 } } },
    AnyValue: {
      oneofs: { kind: { oneof: ['stringValue', 'boolValue', 'intValue', 'doubleValue'] } },
      fields: {
        stringValue: { type: 'string', id: 1 },
        boolValue: { type: 'bool', id: 2 },
        intValue: { type: 'int64', id: 3 },
        doubleValue: { type: 'double', id: 4 },
      },
    },
  },
});
const requestType = root.lookupType('Request');

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface WireSpan {
  readonly name: string;
  readonly traceId: Buffer;
  readonly spanId: Buffer;
  readonly parentSpanId: Buffer;
  readonly startTime: number;
  readonly endTime: number;
  readonly attributes: readonly KeyValue[];
  readonly events: readonly {
    readonly time: number;
    readonly name: string;
    readonly attributes: readonly KeyValue[];
  }[];
  readonly status: { readonly code: number; readonly message: string } | null;
  readonly flags: number;
}
interface WireRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

const statusCodes = ['unset', 'ok', 'error'] as const;

/** Of nanoseconds, which are beyond what a number holds exactly. */
const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / 1e6);

const record = (list: readonly KeyValue[]) =>
  Object.fromEntries(list.map(({ key, value }) => [key, value[String(value.kind)]]));

/** The spans of a serialized ExportTraceServiceRequest. Throws on bytes that are not protobuf. */
export function decodeSpans(request: Uint8Array, headers: ReceivedSpan['headers']): readonly ReceivedSpan[] {
  const plain = requestType.toObject(requestType.decode(request), {
    longs: Number,
    arrays: true,
    defaults: true,
    oneofs: true,
    bytes: Buffer,
  }) as WireRequest;
  return plain.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap((scope) => scope.spans)
      .map((span) => spanOf(span, { resource: record(resource.attributes), headers })),
  );
}

function spanOf(span: WireSpan, origin: Pick<ReceivedSpan, 'resource' | 'headers'>): ReceivedSpan {
  return {
    ...origin,
    name: span.name,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    attributes: record(span.attributes),
    startMs: milliseconds(span.startTime),
    endMs: milliseconds(span.endTime),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      timeMs: milliseconds(time),
      attributes: record(attributes),
    })),
    status: statusCodes[span.status?.code ?? 0] ?? 'unset',
    statusMessage: span.status?.message ?? '',
    flags: span.flags,
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
