import { pause } from '../../common/timing.ts';
import type { ExportOutcome } from '../../otlp/classify-response.ts';
import { type ExportRequest, maxRequestBytes } from '../../otlp/export-request.ts';
import type { Exporter } from '../../otlp/exporter.ts';
import { retryDelay } from '../../otlp/retry-delay.ts';
import type { RecordData, SinkResult } from './sink.ts';

/** Sends the data of one signal to a Collector, one request at a time, and waits for the acknowledgement of each. */
export interface RecordSender {
  /** What it sends, for the user. */
  readonly noun: 'points' | 'spans';
  add(data: RecordData): void;
  /** Whether what was added is enough for a request. */
  readonly isFull: boolean;
  /** Sends what was added. */
  flush(): Promise<SinkResult>;
  close(): void;
}

export interface RecordSenderOptions<T> {
  readonly noun: RecordSender['noun'];
  readonly createExporter: () => Exporter<T>;
  readonly requestsOf: (data: RecordData) => readonly ExportRequest<T>[];
  readonly signal: AbortSignal;
  /** Called when an export has to be repeated, once until one is accepted. */
  readonly onWaiting: (outcome: Extract<ExportOutcome, { status: 'retry' }>) => void;
  /** Turns the answer to a request that was rejected into what to do about it. */
  readonly explain: (reason: string) => string;
}

const requestsOfExport = 1_000;
const bytesOfExport = maxRequestBytes / 3;
/** Without the random part, which spreads many bridges. The rest of the pause grows to half of `maxMs`. */
const retryPolicy = { maxMs: 10_000, random: () => 0 };

export function createRecordSender<T>(options: RecordSenderOptions<T>): RecordSender {
  const { noun, createExporter, requestsOf, signal, onWaiting, explain } = options;
  let exporter = createExporter();
  let waiting: ExportRequest<T>[] = [];
  let bytes = 0;
  let isWaiting = false;

  /** Until it is accepted or rejected, or the signal aborts. */
  async function exportUntilDecided(requests: typeof waiting): Promise<ExportOutcome | undefined> {
    for (let failures = 1; !signal.aborted; failures++) {
      const outcome = await exporter.export(requests);
      if (outcome.status !== 'retry') return outcome;
      if (!isWaiting) onWaiting(outcome);
      isWaiting = true;
      if (outcome.afterMs === undefined) {
        // A new connection does not inherit the backoff of the one that failed.
        exporter.shutdown();
        exporter = createExporter();
      }
      await pause(retryDelay({ ...retryPolicy, failures, askedMs: outcome.afterMs ?? 0 }), signal);
    }
    return undefined;
  }

  async function send(requests: typeof waiting): Promise<SinkResult> {
    const outcome = await exportUntilDecided(requests);
    if (outcome === undefined) return { status: 'stopped' };
    isWaiting = false;
    if (outcome.status === 'rejected' && outcome.dropReason === 'too_large' && requests.length > 1) {
      const middle = Math.ceil(requests.length / 2);
      const first = await send(requests.slice(0, middle));
      return first.status === 'ok' ? send(requests.slice(middle)) : first;
    }
    const reason = rejectionOf(outcome, noun);
    return reason === undefined ? { status: 'ok' } : { status: 'failed', reason: explain(reason) };
  }

  return {
    noun,
    add(data) {
      for (const request of requestsOf(data)) {
        waiting.push(request);
        bytes += request.bytes;
      }
    },
    get isFull() {
      return waiting.length >= requestsOfExport || bytes >= bytesOfExport;
    },
    async flush() {
      if (waiting.length === 0) return { status: 'ok' };
      const result = await send(waiting);
      if (result.status !== 'ok') return result;
      waiting = [];
      bytes = 0;
      return result;
    },
    close: () => exporter.shutdown(),
  };
}

/** Why points or spans were rejected; undefined if all were accepted. */
function rejectionOf(outcome: ExportOutcome, noun: RecordSender['noun']): string | undefined {
  if (outcome.status === 'rejected') return outcome.reason;
  if (outcome.status !== 'success' || !outcome.partialSuccess?.rejected) return undefined;
  const { rejected, reason } = outcome.partialSuccess;
  return `${rejected} ${noun} were rejected: ${reason}`;
}
