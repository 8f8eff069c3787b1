import { type ServiceError, status } from '@grpc/grpc-js';
import type { PartialSuccess } from './partial-success.ts';
import { retryDelayOf } from './retry-info.ts';

/** Why an export is retried later. */
export type RetryCause =
  | 'no_answer'
  /** The Collector, or the backend behind it, cannot accept it now. */
  | 'later'
  /** The request was not sent, because the files of headers or certificates could never be read. */
  | 'no_credentials'
  /** The headers or the certificate were rejected. They come from files, which may be renewed. */
  | 'credentials'
  /** The answer did not come from an OTLP/gRPC receiver. */
  | 'not_grpc';

/** Why rejected snapshots are dropped. */
export type RejectReason = 'rejected' | 'too_large';

/** The result of an export. */
export type ExportOutcome =
  | { readonly status: 'success'; readonly partialSuccess?: PartialSuccess }
  /** It is sent again later. */
  | {
      readonly status: 'retry';
      readonly cause: RetryCause;
      readonly reason: string;
      /** Of gRPC; absent if the request was never sent. */
      readonly code?: status;
      /** What to do about it, if that is known. */
      readonly advice?: string;
      /** The delay that the Collector asks for, in milliseconds. */
      readonly afterMs?: number;
    }
  /** A request of several snapshots was rejected; smaller requests may be accepted. */
  | { readonly status: 'split'; readonly reason: string; readonly code: status }
  /** It is never accepted. */
  | {
      readonly status: 'rejected';
      readonly reason: string;
      readonly code: status;
      readonly dropReason: RejectReason;
      /** Whether a part of the request may be accepted. */
      readonly divisible: boolean;
    };

/** The parts of gRPC's error that decide. */
export type FailedResponse = Pick<ServiceError, 'code' | 'details' | 'message' | 'metadata'>;

export interface AnswerRule {
  /** For documentation: the answer, in Markdown. */
  readonly answer: string;
  readonly codes: readonly (keyof typeof status)[] | 'any';
  readonly details?: RegExp;
  /** Whether the answer says when to try again. */
  readonly hasRetryInfo?: true;
  /** Whether headers or certificates come from files, which may be renewed. */
  readonly hasCredentialFiles?: true;
  readonly reaction: Reaction;
  /** For documentation: why this differs from the OTLP specification, if it does. */
  readonly beyond?: string;
}

/** The reaction to an answer. */
type Reaction =
  | { readonly action: 'wait'; readonly cause: RetryCause }
  /** The request is halved until one snapshot is rejected alone; it is dropped. */
  | { readonly action: 'halve'; readonly dropReason: RejectReason }
  | { readonly action: 'drop'; readonly dropReason: RejectReason };

const anyOther: AnswerRule = {
  answer: 'Any other, for example `UNIMPLEMENTED` (unknown service), `UNKNOWN` with HTTP status 501',
  codes: 'any',
  reaction: { action: 'drop', dropReason: 'rejected' },
};

/**
 * The first rule that matches decides. Sources: OTLP specification, "OTLP/gRPC Response" and "OTLP/gRPC Throttling"; the
 * texts are those of grpc-js, grpc-go and of the Collector's `otlp_http` exporter, run with Collector 0.155.0.
 */
export const answerRules: readonly AnswerRule[] = [
  {
    answer: 'None: no connection, a broken stream, or a timeout',
    codes: 'any',
    details:
      /^(No connection established|Name resolution failed|Connection dropped|Received RST_STREAM|(Stream refused by server|Call cancelled|Bandwidth exhausted or memory limit exceeded|Protocol not secure enough)$|Deadline exceeded|Failed to start HTTP\/2 stream|Write (error:|failed )|(read|write|connect) E[A-Z]+)/,
    reaction: { action: 'wait', cause: 'no_answer' },
  },
  {
    answer: 'HTTP status 413, of a gateway or of the backend behind the Collector',
    codes: 'any',
    details: /HTTP status code 413\b/i,
    reaction: { action: 'halve', dropReason: 'too_large' },
    beyond: 'The code is `UNKNOWN`. A smaller request fits',
  },
  {
    // The last pattern is a web page: gRPC reads its first bytes as the length of a message.
    answer: 'Not gRPC: an HTTP status without gRPC (except 413, 429, 502, 503, 504), or a web page',
    codes: 'any',
    details:
      /^Received HTTP status code (?!429|502|503|504)|^No status information received|larger than max \(\d{9,} /,
    reaction: { action: 'wait', cause: 'not_grpc' },
    beyond: 'gRPC gives it a code such as `UNIMPLEMENTED`, but no Collector has refused anything',
  },
  {
    answer:
      '`CANCELLED`, `DEADLINE_EXCEEDED`, `ABORTED`, `OUT_OF_RANGE`, `UNAVAILABLE`, `DATA_LOSS` (HTTP status 429, 502, 503, 504 of a gateway is `UNAVAILABLE`)',
    codes: ['CANCELLED', 'DEADLINE_EXCEEDED', 'ABORTED', 'OUT_OF_RANGE', 'UNAVAILABLE', 'DATA_LOSS'],
    reaction: { action: 'wait', cause: 'later' },
  },
  {
    answer: '`RESOURCE_EXHAUSTED` with RetryInfo',
    codes: ['RESOURCE_EXHAUSTED'],
    hasRetryInfo: true,
    reaction: { action: 'wait', cause: 'later' },
  },
  {
    answer: '`UNKNOWN` or `RESOURCE_EXHAUSTED` that names HTTP status 408, 429 or 500 of the backend',
    codes: ['UNKNOWN', 'RESOURCE_EXHAUSTED'],
    details: /HTTP status code (408|429|500)\b/i,
    reaction: { action: 'wait', cause: 'later' },
    beyond:
      'A backend without a quorum or at its limit answers so, and the Collector passes on neither the status nor Retry-After',
  },
  {
    answer: '`RESOURCE_EXHAUSTED`: message larger than the limit of the receiver',
    codes: ['RESOURCE_EXHAUSTED'],
    details: /larger than max|exceeds maximum|too large/i,
    reaction: { action: 'halve', dropReason: 'too_large' },
    beyond: 'Snapshots that waited go out as one request. Each may fit alone',
  },
  {
    answer: '`INVALID_ARGUMENT`, other `RESOURCE_EXHAUSTED`',
    codes: ['INVALID_ARGUMENT', 'RESOURCE_EXHAUSTED'],
    reaction: { action: 'halve', dropReason: 'rejected' },
    beyond: 'One bad snapshot must not take the others with it',
  },
  {
    answer: '`UNKNOWN` that names HTTP status 400 or 409 of the backend',
    codes: ['UNKNOWN'],
    details: /HTTP status code (400|409)\b/i,
    reaction: { action: 'halve', dropReason: 'rejected' },
    beyond: 'As for `INVALID_ARGUMENT`',
  },
  {
    answer: '`UNAUTHENTICATED`, `PERMISSION_DENIED`, where headers or certificates come from files',
    codes: ['UNAUTHENTICATED', 'PERMISSION_DENIED'],
    hasCredentialFiles: true,
    reaction: { action: 'wait', cause: 'credentials' },
    beyond: 'The files may be renewed at any time, and are read again before each export',
  },
  anyOther,
];

/** Decides what happens to a request that failed. */
export function classifyResponse(
  response: FailedResponse,
  credentials: 'from files' | 'fixed' = 'fixed',
): Exclude<ExportOutcome, { status: 'success' | 'split' }> {
  const { code } = response;
  const reason = describeError(response);
  const afterMs = retryDelayOf(response.metadata);
  const { reaction } = ruleOf(response, credentials);
  if (reaction.action !== 'wait') {
    const divisible = reaction.action === 'halve';
    return { status: 'rejected', reason, code, dropReason: reaction.dropReason, divisible };
  }
  return { status: 'retry', cause: reaction.cause, reason, code, ...(afterMs !== undefined && { afterMs }) };
}

function ruleOf(response: FailedResponse, credentials: 'from files' | 'fixed'): AnswerRule {
  const hasRetryInfo = retryDelayOf(response.metadata) !== undefined;
  const matches = ({ codes, details, ...needs }: AnswerRule) =>
    (codes === 'any' || codes.some((name) => status[name] === response.code)) &&
    (details === undefined || details.test(response.details ?? '')) &&
    (!needs.hasRetryInfo || hasRetryInfo) &&
    (!needs.hasCredentialFiles || credentials === 'from files');
  return answerRules.find(matches) ?? anyOther;
}

/** The message of an error, for a log line. */
export function describeError(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error
      ? error.message
      : (error ?? 'unknown error');
  // gRPC appends this label even if there is no note.
  return String(message).replace(/\.? Resolution note: $/, '');
}
