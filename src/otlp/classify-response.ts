import { type ServiceError, status } from '@grpc/grpc-js';
import type { PartialSuccess } from './partial-success.ts';
import { retryDelayOf } from './retry-info.ts';

/** What became of an export. */
export type ExportOutcome =
  | { readonly status: 'success'; readonly partialSuccess?: PartialSuccess }
  /** It may work later. */
  | {
      readonly status: 'retry';
      readonly reason: string;
      /** gRPC's, where it comes from there. */
      readonly code?: status;
      /** What to do about it, where that is known. */
      readonly advice?: string;
      /** How long the Collector asks to be left alone, in milliseconds; absent where it does not say. */
      readonly afterMs?: number;
    }
  /** It will never work. */
  | { readonly status: 'rejected'; readonly reason: string; readonly code: status };

/** How a failed request was answered, by gRPC's own error. */
export type FailedResponse = Pick<ServiceError, 'code' | 'details' | 'message' | 'metadata'>;

interface Rule {
  readonly codes: readonly status[] | 'any';
  readonly details?: RegExp;
  /** Whether the answer says when to try again. */
  readonly hasRetryInfo?: true;
  readonly status: 'retry' | 'rejected';
}

/**
 * The first that matches decides; what none matches is rejected. Source: OTLP specification, "OTLP/gRPC Response" and
 * "OTLP/gRPC Throttling".
 */
const rules: readonly Rule[] = [
  // Where the stream broke there was no answer, whatever code gRPC puts in its place.
  {
    codes: 'any',
    details: /^Received RST_STREAM|^Bandwidth exhausted or memory limit exceeded$/,
    status: 'retry',
  },
  {
    codes: [
      status.CANCELLED,
      status.DEADLINE_EXCEEDED,
      status.ABORTED,
      status.OUT_OF_RANGE,
      status.UNAVAILABLE,
      status.DATA_LOSS,
    ],
    status: 'retry',
  },
  // Without RetryInfo it may be the receiver's message limit, which no retry gets past.
  { codes: [status.RESOURCE_EXHAUSTED], hasRetryInfo: true, status: 'retry' },
];

/** Says what a failed response means for the request. */
export function classifyResponse(response: FailedResponse): Exclude<ExportOutcome, { status: 'success' }> {
  const { code } = response;
  const reason = describeError(response);
  const afterMs = retryDelayOf(response.metadata);
  const rule = rules.find((it) => matches(it, response, afterMs));
  if (rule?.status !== 'retry') return { status: 'rejected', reason, code };
  return { status: 'retry', reason, code, ...(afterMs !== undefined && { afterMs }) };
}

function matches(rule: Rule, { code, details }: FailedResponse, afterMs: number | undefined): boolean {
  if (rule.codes !== 'any' && !rule.codes.includes(code)) return false;
  if (rule.details !== undefined && !rule.details.test(details ?? '')) return false;
  return rule.hasRetryInfo === undefined || afterMs !== undefined;
}

/** The message of an error, for a log line. */
export function describeError(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error
      ? error.message
      : (error ?? 'unknown error');
  // gRPC leaves the label where there is no note.
  return String(message).replace(/\.? Resolution note: $/, '');
}
