import { status } from '@grpc/grpc-js';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { Endpoint } from '../common/endpoint.ts';
import { shorten } from '../common/shorten.ts';
import {
  classifyResponse,
  describeError,
  type ExportOutcome,
  type FailedResponse,
} from './classify-response.ts';
import {
  type CredentialSourceOptions,
  createCredentialSource,
  hasCredentialFiles,
} from './credential-source.ts';
import {
  type Credentials,
  channelCredentials,
  redactHeaders,
  requestMetadata,
  sameCredentials,
} from './credentials.ts';
import type { ExportRequest } from './export-request.ts';
import { listenToPartialSuccess, type PartialSuccess, takePartialSuccess } from './partial-success.ts';
import type { OfficialExporter, Signal } from './signal.ts';
import { type Diagnosis, diagnoseTls } from './tls-diagnosis.ts';

/** Sends requests to the Collector, one call of `export` at a time, on a connection of its own. */
export interface Exporter<T> {
  /** Sends requests that can be merged as one. Never rejects. */
  export(requests: readonly ExportRequest<T>[]): Promise<ExportOutcome>;
  /** Closes the connection when the request in flight has ended; nothing can cancel it before its timeout. */
  shutdown(): void;
}

export interface ExporterOptions extends CredentialSourceOptions {
  readonly endpoint: Endpoint;
  readonly compression: 'gzip' | 'none';
  /** The longest one export may take, connecting included. */
  readonly timeoutMs: number;
  /** Of the bridge. */
  readonly version: string;
  /** The longest time to find the cause of a failure of TLS or of the name; 1 s by default, because the retry waits for it. */
  readonly diagnosisMs?: number;
}

const longestDiagnosisMs = 1_000;
/** Of the text of an answer, which may be as long as a gRPC message. It is shortened once its cause and its secrets are known. */
const maxReasonLength = 1_000;

/** Numbers the exporters; see `userAgent`. */
let connections = 0;

/**
 * Creates exporters of a signal, which share the credentials. A new exporter does not inherit gRPC's backoff from the
 * previous one, which may be two minutes.
 */
export function exportersOf<T>(signal: Signal<T>, options: ExporterOptions): () => Exporter<T> {
  const source = createCredentialSource(options);
  const kind = hasCredentialFiles(options) ? 'from files' : 'fixed';
  const explain = createExplanation(
    options.endpoint,
    Math.min(options.timeoutMs, options.diagnosisMs ?? longestDiagnosisMs),
  );
  listenToPartialSuccess();

  function create(credentials: Credentials): OfficialExporter<T> {
    return signal.createExporter({
      url: options.endpoint.target,
      credentials: channelCredentials(credentials),
      metadata: requestMetadata(credentials),
      compression: options.compression,
      timeoutMillis: options.timeoutMs,
      userAgent: userAgent(options.version, signal.name),
    });
  }

  return () => {
    let current: { readonly credentials: Credentials; readonly official: OfficialExporter<T> } | undefined;
    /** Headers and certificates are fixed when an exporter is created. */
    function exporterFor(credentials: Credentials): OfficialExporter<T> {
      if (current !== undefined && !sameCredentials(current.credentials, credentials)) shutdown();
      current ??= { credentials, official: create(credentials) };
      return current.official;
    }
    function shutdown(): void {
      current?.official.shutdown().catch(() => undefined);
      current = undefined;
    }
    return {
      async export(requests) {
        try {
          const reading = await source.read();
          if (reading.status === 'invalid') {
            const reason = reading.problems.map(({ message }) => message).join('; ');
            return { status: 'retry', cause: 'no_credentials', reason };
          }
          const { credentials } = reading;
          const data = signal.merge(requests.map((request) => request.data));
          const response = await send(exporterFor(credentials), data);
          return withShortReason(await explain(outcomeOf(response, credentials, kind), credentials));
        } catch (error) {
          return { status: 'retry', cause: 'no_answer', reason: describeError(error) };
        }
      },
      shutdown,
    };
  };
}

/**
 * gRPC channels with equal target and options share a connection and its backoff. The user agent is the only option that
 * the exporter passes on, so it keeps signals, and successive exporters, apart.
 */
function userAgent(version: string, signal: string): string {
  connections += 1;
  return `ml-metrics-bridge/${version} (${signal}; connection ${connections})`;
}

interface Response {
  readonly result: ExportResult;
  readonly partialSuccess: PartialSuccess | undefined;
}

const send = <T>(exporter: OfficialExporter<T>, data: T): Promise<Response> =>
  new Promise((resolve) => {
    exporter.export(data, (result) => resolve({ result, partialSuccess: takePartialSuccess() }));
  });

function outcomeOf(
  { result, partialSuccess }: Response,
  credentials: Credentials,
  kind: 'from files' | 'fixed',
): ExportOutcome {
  if (result.code === ExportResultCode.SUCCESS) {
    if (partialSuccess === undefined) return { status: 'success' };
    const reason = redactHeaders(partialSuccess.reason, credentials);
    return { status: 'success', partialSuccess: { ...partialSuccess, reason } };
  }
  const { error } = result;
  if (!isFromGrpc(error))
    return { status: 'retry', cause: 'no_answer', reason: redactHeaders(describeError(error), credentials) };
  const outcome = classifyResponse(error, kind);
  return { ...outcome, reason: redactHeaders(outcome.reason, credentials) };
}

function withShortReason(outcome: ExportOutcome): ExportOutcome {
  if (outcome.status !== 'success') return { ...outcome, reason: shorten(outcome.reason, maxReasonLength) };
  const { partialSuccess } = outcome;
  if (partialSuccess === undefined) return outcome;
  const reason = shorten(partialSuccess.reason, maxReasonLength);
  return { ...outcome, partialSuccess: { ...partialSuccess, reason } };
}

const isFromGrpc = (error: unknown): error is FailedResponse =>
  error instanceof Error && 'code' in error && typeof error.code === 'number';

/** Adds the cause to a failure of TLS or of the name if it is known, or found by a probe. A probe runs once an outage. */
function createExplanation({ target }: Endpoint, timeoutMs: number) {
  let name: Promise<Diagnosis | undefined> | undefined;
  let refusal: typeof name;
  const probe = async (reason: string, credentials: Credentials) => {
    if (reason.includes('Name resolution failed')) {
      name ??= causeOfName(target, timeoutMs);
      return name;
    }
    if (!reason.includes('Last error: Failed to connect')) return refusal;
    refusal ??= causeOfRefusal(target, credentials, timeoutMs);
    return refusal;
  };
  return async (outcome: ExportOutcome, credentials: Credentials): Promise<ExportOutcome> => {
    if (outcome.status !== 'retry' || outcome.code !== status.UNAVAILABLE) {
      name = refusal = undefined;
      return outcome;
    }
    const diagnosis = diagnoseTls(outcome.reason) ?? (await probe(outcome.reason, credentials));
    return diagnosis === undefined
      ? outcome
      : { ...outcome, reason: diagnosis.detail, advice: diagnosis.advice };
  };
}

async function causeOfName(target: string, timeoutMs: number): Promise<Diagnosis | undefined> {
  const { explainName } = await import('./name-diagnosis.ts');
  return explainName(target, timeoutMs);
}

async function causeOfRefusal(
  target: string,
  credentials: Credentials,
  timeoutMs: number,
): Promise<Diagnosis | undefined> {
  const { explainRefusal } = await import('./tls-handshake.ts');
  return explainRefusal(target, credentials, timeoutMs);
}
