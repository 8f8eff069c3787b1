import { status as grpcStatus, type Metadata, type ServiceError } from '@grpc/grpc-js';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { Clock } from '../clock.ts';
import { pause, within } from '../timing.ts';
import { type Backlog, type Collection, coalesce } from './backlog.ts';

export type SendOutcome =
  | { readonly status: 'success' }
  /** It may work later: the collections stay in the backlog. */
  | { readonly status: 'retry'; readonly reason: string }
  /** It will never work: the collections are gone. */
  | { readonly status: 'rejected'; readonly reason: string };

export interface Sender {
  /** Puts a collection into the backlog and returns at once. */
  send(collection: Collection): void;
  /** Sends what waits, the newest first, and says how many were left at the deadline. Call it once, at the end. */
  close(deadlineUptimeMs: number): Promise<number>;
}

export interface SenderOptions {
  readonly backlog: Backlog;
  /** A new exporter on a new connection. May throw, as when a certificate cannot be read. */
  readonly connect: () => PushMetricExporter;
  readonly clock: Clock;
  /** Longest pause between two attempts while the Collector cannot be reached. */
  readonly maxRetryMs: number;
  readonly onAttempt: (outcome: SendOutcome, collections: readonly Collection[]) => void;
  readonly onOverflow: (dropped: number) => void;
}

const firstRetryMs = 250;
const retryWhenClosingMs = 200;

/** Empties the backlog, one request in flight, oldest first, and tries again until it succeeds. */
export function createSender({
  backlog,
  connect,
  clock,
  maxRetryMs,
  onAttempt,
  onOverflow,
}: SenderOptions): Sender {
  let exporter: PushMetricExporter | undefined;
  let draining: Promise<void> | undefined;
  const closing = new AbortController();

  function overflow(dropped: number): void {
    if (dropped > 0) onOverflow(dropped);
  }

  async function attempt(end: 'oldest' | 'newest'): Promise<SendOutcome> {
    const collections = backlog.lend(end);
    const outcome = await exportOnce(collections);
    onAttempt(outcome, collections);
    if (outcome.status === 'retry') {
      disconnect();
      overflow(backlog.giveBack());
    } else backlog.remove(collections);
    return outcome;
  }

  async function exportOnce(collections: readonly Collection[]): Promise<SendOutcome> {
    try {
      exporter ??= connect();
      const connected = exporter;
      return judge(
        await new Promise<ExportResult>((resolve) => connected.export(coalesce(collections), resolve)),
      );
    } catch (error) {
      return { status: 'retry', reason: describe(error) };
    }
  }

  /** The next attempt gets a connection of its own: this one may be waiting out a backoff of up to two minutes. */
  function disconnect(): void {
    exporter?.shutdown().catch(() => undefined);
    exporter = undefined;
  }

  async function drain(): Promise<void> {
    let failures = 0;
    while (backlog.size > 0 && !closing.signal.aborted) {
      const outcome = await attempt('oldest');
      failures = outcome.status === 'retry' ? failures + 1 : 0;
      if (failures > 0) await pause(retryDelay(failures, maxRetryMs), closing.signal);
    }
    draining = undefined;
  }

  async function flush(deadlineUptimeMs: number): Promise<void> {
    while (backlog.size > 0 && clock().uptimeMs < deadlineUptimeMs) {
      const outcome = await attempt('newest');
      if (outcome.status === 'retry') await pause(retryWhenClosingMs);
    }
  }

  return {
    send(collection) {
      overflow(backlog.push(collection));
      draining ??= drain();
    },
    async close(deadlineUptimeMs) {
      const left = () => Math.max(0, deadlineUptimeMs - clock().uptimeMs);
      closing.abort();
      // A request in flight gets half of the time; one that hangs must not keep the newest value from being sent.
      const settled = await within(left() / 2, draining ?? Promise.resolve());
      if (!settled) disconnect();
      await within(left(), flush(deadlineUptimeMs));
      disconnect();
      return backlog.size;
    },
  };
}

/** Doubles from a quarter of a second, and is spread, so that a thousand bridges do not come back at the same moment. */
function retryDelay(failures: number, maxMs: number): number {
  const delay = Math.min(maxMs, firstRetryMs * 2 ** Math.min(failures - 1, 20));
  return delay * (0.5 + Math.random() / 2);
}

/** Source: OTLP specification, "Failures", the gRPC codes a client should retry. */
const retryable: ReadonlySet<number> = new Set([
  grpcStatus.CANCELLED,
  grpcStatus.DEADLINE_EXCEEDED,
  grpcStatus.ABORTED,
  grpcStatus.OUT_OF_RANGE,
  grpcStatus.UNAVAILABLE,
  grpcStatus.DATA_LOSS,
]);

function judge({ code, error }: ExportResult): SendOutcome {
  if (code === ExportResultCode.SUCCESS) return { status: 'success' };
  return { status: error !== undefined && isFinal(error) ? 'rejected' : 'retry', reason: describe(error) };
}

/** What is no answer of a server, such as a certificate that cannot be read, may be mended. */
function isFinal(error: Error): boolean {
  const { code, metadata } = error as Partial<ServiceError>;
  if (typeof code !== 'number' || retryable.has(code)) return false;
  return !(code === grpcStatus.RESOURCE_EXHAUSTED && saysWhenToRetry(metadata));
}

/** An exhausted resource may be the receiver's message limit, which no retry gets past; only RetryInfo tells. */
function saysWhenToRetry(metadata: Metadata | undefined): boolean {
  const details = metadata?.get('grpc-status-details-bin') ?? [];
  return details.some((detail) => detail.includes('google.rpc.RetryInfo'));
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error ?? 'unknown error');
  // gRPC leaves the label where there is no note.
  return message.replace(/\.? Resolution note: $/, '');
}
