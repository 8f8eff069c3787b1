import type { ExportOutcome } from '../../otlp/classify-response.ts';

/** Times of the oldest and the latest record, in Unix milliseconds. */
export interface RecordTimes {
  readonly firstMs: number;
  readonly lastMs: number;
}

const hourMs = 3_600_000;

/** A window that Prometheus needs for points as old as this, with an hour to spare: `3h`, `9d`. */
export function windowFor(ageMs: number): string {
  const hours = Math.ceil(ageMs / hourMs) + 1;
  return hours <= 48 ? `${hours}h` : `${Math.ceil(hours / 24)}d`;
}

/** Prometheus takes nothing that is later. */
const futureMs = 600_000;

/** What the backend must allow for records of these times; nothing if they are recent. */
export function adviseOnAge({ firstMs, lastMs }: RecordTimes, nowMs: number): readonly string[] {
  const ageMs = nowMs - firstMs;
  const future =
    lastMs < nowMs + futureMs
      ? []
      : [
          `The latest record is of ${new Date(lastMs).toISOString()}, which is in the future: Prometheus does not take it. See --start and --interval.`,
        ];
  if (ageMs < hourMs) return future;
  return [
    ...future,
    `The oldest record is of ${new Date(firstMs).toISOString()}. Prometheus stores it only with storage.tsdb.out_of_order_time_window of ${windowFor(ageMs)} or more, and for as long as its retention (15d by default).`,
    'A Collector that is scraped shows only the last point: it must push to the backend. --output writes a file for promtool, which needs neither.',
  ];
}

/** What to do about points that were rejected. */
export function explainRejection(reason: string, firstMs: number, nowMs: number): string {
  if (/duplicate sample/i.test(reason))
    return `${reason}. The backend has another value at the same time: another process writes these series, or an earlier replay had other settings. Use another --job-id.`;
  const window = `set storage.tsdb.out_of_order_time_window of Prometheus to ${windowFor(nowMs - firstMs)} or more and reload it, or use --output.`;
  if (/out of order|out of bounds|too old|too far (behind|in the past)/i.test(reason))
    return `${reason}. The backend takes no points of this age: ${window}`;
  if (/HTTP status code 400/i.test(reason))
    return `${reason}. The Collector does not pass on what the backend said. It refuses points that are too old: ${window}`;
  return reason;
}

/** What to do about spans that were rejected. */
export function explainRejectedSpans(reason: string): string {
  const isUnknown = /UNIMPLEMENTED|unknown service/i.test(reason);
  return isUnknown
    ? `${reason}. The Collector takes no traces: configure a pipeline for them, or leave out --trace.`
    : reason;
}

/** Why a request has to be repeated. */
export function describeWaiting({ reason, advice }: Extract<ExportOutcome, { status: 'retry' }>): string {
  const hint = advice === undefined ? '' : ` ${advice}`;
  return `the Collector has not accepted a request: ${reason}.${hint} It is repeated until it is accepted; Ctrl-C stops.`;
}
