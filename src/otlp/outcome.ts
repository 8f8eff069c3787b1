import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { Answer } from './client.ts';
import { type ServiceError, Status } from './grpc.ts';
import { retryDelayOf } from './retry-info.ts';

export type SendOutcome =
  | { readonly status: 'success'; readonly refused?: PartialRefusal }
  /** It may work later: the collections stay in the backlog. */
  | {
      readonly status: 'retry';
      readonly reason: string;
      /** What to do about it, where that is known. */
      readonly advice?: string;
      /** How long the Collector asks to be left alone; absent where it does not say. */
      readonly afterMs?: number;
    }
  /** It will never work: the collections are gone. */
  | { readonly status: 'rejected'; readonly reason: string; readonly code: Status };

/** What a Collector did not take of a request it accepted. It must not be sent again. */
export interface PartialRefusal {
  readonly points: number;
  readonly reason: string;
}

/** An answer, read: of one that is good, only what it says was not taken. */
export type Reply =
  | { readonly status: 'ok'; readonly refused?: PartialRefusal }
  | Extract<Answer, { status: 'failed' }>;

/** Source: OTLP specification, "Failures", the gRPC codes a client should retry. */
const retryable: ReadonlySet<number> = new Set([
  Status.CANCELLED,
  Status.DEADLINE_EXCEEDED,
  Status.ABORTED,
  Status.OUT_OF_RANGE,
  Status.UNAVAILABLE,
  Status.DATA_LOSS,
]);

/** What an answer means for the request it is to. Source: OTLP specification, "OTLP/gRPC Response" and "Throttling". */
export function judge(reply: Reply): SendOutcome {
  if (reply.status === 'ok') return { status: 'success', ...(reply.refused && { refused: reply.refused }) };
  const { error, trouble } = reply;
  const reason = trouble?.detail ?? describe(error);
  const afterMs = retryDelayOf(error.metadata);
  // An exhausted resource may be the receiver's message limit, which no retry gets past; only RetryInfo tells.
  const exhausted = error.code === Status.RESOURCE_EXHAUSTED && afterMs !== undefined;
  return retryable.has(error.code) || exhausted || wasCutOff(error)
    ? {
        status: 'retry',
        reason,
        ...(trouble && { advice: trouble.advice }),
        ...(afterMs !== undefined && { afterMs }),
      }
    : { status: 'rejected', reason, code: error.code };
}

/** Where the stream broke there was no answer, whatever code gRPC puts in its place. */
function wasCutOff({ details }: ServiceError): boolean {
  return /^Received RST_STREAM|^Bandwidth exhausted or memory limit exceeded$/.test(details ?? '');
}

/** What a response says was not taken; undefined where all was, and where it cannot be read. */
export function refusalIn(response: Uint8Array): PartialRefusal | undefined {
  if (response.length === 0) return undefined;
  try {
    const { partialSuccess } = ProtobufMetricsSerializer.deserializeResponse(response);
    const points = Number(partialSuccess?.rejectedDataPoints ?? 0);
    const reason = partialSuccess?.errorMessage ?? '';
    // No points and a message is a warning of the Collector's.
    return points > 0 || reason !== '' ? { points, reason } : undefined;
  } catch {
    return undefined;
  }
}

/** The words of an error, for a log line. */
export function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error ?? 'unknown error');
  // gRPC leaves the label where there is no note.
  return message.replace(/\.? Resolution note: $/, '');
}
