import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { pause } from '../../common/timing.ts';
import type { ExportOutcome } from '../../otlp/classify-response.ts';
import { type ExportRequest, maxRequestBytes } from '../../otlp/export-request.ts';
import type { Exporter } from '../../otlp/exporter.ts';
import { metricsRequest } from '../../otlp/metrics-signal.ts';
import type { Sink, SinkResult } from './sink.ts';
import { resumeText } from './summary.ts';

export interface DeliveryOptions {
  readonly createExporter: () => Exporter<ResourceMetrics>;
  readonly signal: AbortSignal;
  /** Number of the first record that is sent. */
  readonly from: number;
  /** Called when an export has to be repeated, once until one is accepted. */
  readonly onWaiting: (outcome: Extract<ExportOutcome, { status: 'retry' }>) => void;
  /** Turns the answer to a request that was rejected into what to do about it. */
  readonly explain: (reason: string) => string;
}

const recordsOfRequest = 1_000;
const bytesOfRequest = maxRequestBytes / 3;
const firstRetryMs = 250;
const longestRetryMs = 5_000;

type Requests = readonly ExportRequest<ResourceMetrics>[];

/** Sends records to a Collector, one request at a time, and waits for the acknowledgement of each. */
export function createDelivery(options: DeliveryOptions): Sink {
  const { createExporter, signal, onWaiting } = options;
  let exporter = createExporter();
  let waiting: ExportRequest<ResourceMetrics>[] = [];
  let bytes = 0;
  let added = options.from - 1;
  let done = added;
  let isWaiting = false;

  /** Until it is accepted or rejected, or the signal aborts. */
  async function exportUntilDecided(requests: Requests): Promise<ExportOutcome | undefined> {
    for (let failures = 0; !signal.aborted; failures++) {
      const outcome = await exporter.export(requests);
      if (outcome.status !== 'retry') return outcome;
      if (!isWaiting) onWaiting(outcome);
      isWaiting = true;
      if (outcome.afterMs === undefined) {
        // A new connection does not inherit the backoff of the one that failed.
        exporter.shutdown();
        exporter = createExporter();
      }
      const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** failures);
      await pause(Math.max(delayMs, outcome.afterMs ?? 0), signal);
    }
    return undefined;
  }

  async function send(requests: Requests): Promise<SinkResult> {
    const outcome = await exportUntilDecided(requests);
    if (outcome === undefined) return { status: 'stopped' };
    isWaiting = false;
    if (outcome.status === 'rejected' && outcome.dropReason === 'too_large' && requests.length > 1) {
      const middle = Math.ceil(requests.length / 2);
      const first = await send(requests.slice(0, middle));
      return first.status === 'ok' ? send(requests.slice(middle)) : first;
    }
    const reason = rejectionOf(outcome);
    return reason === undefined ? { status: 'ok' } : { status: 'failed', reason: options.explain(reason) };
  }

  async function flush(): Promise<SinkResult> {
    if (waiting.length === 0) return { status: 'ok' };
    const result = await send(waiting);
    if (result.status !== 'ok') return result;
    done = added;
    waiting = [];
    bytes = 0;
    return result;
  }

  return {
    async add(metrics, record) {
      for (const data of metrics) {
        const request = metricsRequest('snapshot', data);
        waiting.push(request);
        bytes += request.bytes;
      }
      added = record;
      const isFull = waiting.length >= recordsOfRequest || bytes >= bytesOfRequest;
      return isFull ? flush() : { status: 'ok' };
    },
    finish: flush,
    outcome: (result, records) =>
      result === 'complete' ? 'All points were accepted.' : resumeText(done, records),
    close: async () => exporter.shutdown(),
  };
}

/** Why points were rejected; undefined if all were accepted. */
function rejectionOf(outcome: ExportOutcome): string | undefined {
  if (outcome.status === 'rejected') return outcome.reason;
  if (outcome.status !== 'success' || !outcome.partialSuccess?.rejected) return undefined;
  const { rejected, reason } = outcome.partialSuccess;
  return `${rejected} points were rejected: ${reason}`;
}
