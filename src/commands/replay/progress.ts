import { formatNumber, formatProgress } from '../../cli/terminal/format.ts';
import type { Output } from '../../cli/terminal/output.ts';

/** A line that says how far a replay is. Nothing is shown on an output that is not a terminal. */
export interface ProgressLine {
  update(record: number): void;
  /** Removes the line. */
  clear(): void;
}

const redrawMs = 200;

export function createProgressLine(
  output: Output,
  { total, from, nowMs }: { readonly total: number; readonly from: number; readonly nowMs: () => number },
): ProgressLine {
  if (!output.isTTY) return { update: () => undefined, clear: () => undefined };
  const startedMs = nowMs();
  let nextMs = startedMs + redrawMs;
  return {
    update(record) {
      const elapsedMs = nowMs() - startedMs;
      if (startedMs + elapsedMs < nextMs) return;
      nextMs = startedMs + elapsedMs + redrawMs;
      const sent = record - from + 1;
      const leftMs = sent > 0 ? (elapsedMs / sent) * (total - record) : undefined;
      const count = `${formatNumber(record)} of ${formatNumber(total)} records`;
      output.write(`\r\u001b[K${count}, ${formatProgress(record / total, leftMs)}`);
    },
    clear: () => void output.write('\r\u001b[K'),
  };
}
