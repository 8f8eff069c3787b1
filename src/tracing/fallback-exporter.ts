import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

export interface FallbackExporterOptions {
  /** The address that the exporter sends to, for the messages. */
  readonly destination: string;
  /** The exporter that is used if the destination cannot be reached at the first export. */
  readonly fallback: (() => SpanExporter) | undefined;
  readonly log: (message: string) => void;
}

/** The error of an export that failed. */
type Outcome = Error | undefined;

// The gRPC status codes DEADLINE_EXCEEDED and UNAVAILABLE: the destination did not answer.
const unreachable = new Set<unknown>([4, 14]);

/**
 * Wraps an exporter so that one line is logged when spans are lost and one when they are delivered again. The SDK
 * reports this only to diagnostics, which are off by default. If the first export does not reach the destination, the
 * fallback exports these spans and all later ones, so that the spans of one process are in one place.
 */
export function createFallbackExporter(first: SpanExporter, options: FallbackExporterOptions): SpanExporter {
  const { destination, fallback, log } = options;
  const pending = new Set<Promise<Outcome>>();
  let current = first;
  let state: 'starting' | 'up' | 'down' | 'fallback' = 'starting';
  let lost = 0;

  const attempt = async (spans: ReadableSpan[]): Promise<Outcome> => {
    const exporter = current;
    const error = await exportSpans(exporter, spans);
    const wasReplaced = exporter !== current;
    if (error === undefined) {
      if (state === 'down') log(`spans are exported to ${destination} again; ${lost} were lost`);
      if (state !== 'fallback') [state, lost] = ['up', 0];
      return undefined;
    }
    if (!wasReplaced && state === 'starting' && fallback !== undefined && unreachable.has(codeOf(error))) {
      log(`${destination} cannot be reached, spans are printed instead: ${reasonOf(error)}`);
      [current, state] = [fallback(), 'fallback'];
      void first.shutdown().catch(() => undefined);
      return attempt(spans);
    }
    if (wasReplaced) return attempt(spans);
    lost += spans.length;
    if (state !== 'down') log(`spans are lost, the export to ${destination} fails: ${reasonOf(error)}`);
    state = 'down';
    return error;
  };

  return {
    export: (spans, done) => {
      const outcome = attempt(spans);
      pending.add(outcome);
      void outcome.then((error) => {
        pending.delete(outcome);
        done(resultOf(error));
      });
    },
    forceFlush: async () => {
      const error = (await Promise.all(pending)).find((one) => one !== undefined);
      if (error !== undefined) throw error;
    },
    shutdown: () => current.shutdown(),
  };
}

const codeOf = (error: Error): unknown => (error as { code?: unknown }).code;

/** gRPC ends the message with a note that is usually empty. */
const reasonOf = ({ message }: Error) => message.replace(/\s*Resolution note:\s*$/, '');

const resultOf = (error: Outcome): ExportResult =>
  error === undefined ? { code: ExportResultCode.SUCCESS } : { code: ExportResultCode.FAILED, error };

/** Never rejects: an exporter that throws counts as failed. */
function exportSpans(exporter: SpanExporter, spans: ReadableSpan[]): Promise<Outcome> {
  return new Promise<Outcome>((resolve) => {
    exporter.export(spans, ({ code, error }) =>
      resolve(code === ExportResultCode.SUCCESS ? undefined : (error ?? new Error('no reason given'))),
    );
  }).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
}
