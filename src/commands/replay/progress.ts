import { formatNumber, formatProgress } from '../../cli/terminal/format.ts';
import type { Output } from '../../cli/terminal/output.ts';

/** A line that says how far a replay is. Nothing is shown on an output that is not a terminal. */
export interface ProgressLine {
  /** Call it often: `text` is asked for only when the line is drawn. */
  show(text: () => string): void;
  /** Removes the line. */
  clear(): void;
}

const redrawMs = 200;

export function createProgressLine(output: Output, nowMs: () => number): ProgressLine {
  if (!output.isTTY) return { show: () => undefined, clear: () => undefined };
  let nextMs = nowMs() + redrawMs;
  return {
    show(text) {
      const atMs = nowMs();
      if (atMs < nextMs) return;
      nextMs = atMs + redrawMs;
      output.write(`\r\u001b[K${text()}`);
    },
    clear: () => void output.write('\r\u001b[K'),
  };
}

export interface Sending {
  /** Number of the last record that was read, of the first one that is sent, and of all. */
  readonly record: number;
  readonly from: number;
  readonly total: number;
  /** Since the first record was read. */
  readonly elapsedMs: number;
}

/** A bar, the share that is done, and how long the rest takes. */
export function sendingText({ record, from, total, elapsedMs }: Sending): string {
  const sent = record - from + 1;
  const leftMs = sent > 0 ? (elapsedMs / sent) * (total - record) : undefined;
  const share = record / total;
  const count = `${formatNumber(record)} of ${formatNumber(total)} records`;
  return `${bar(share)} ${count}, ${formatProgress(share, leftMs)}`;
}

const barWidth = 20;

function bar(share: number): string {
  const full = Math.floor(share * barWidth);
  return '█'.repeat(full) + '░'.repeat(barWidth - full);
}
