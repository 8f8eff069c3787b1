import { pause, whenAborted } from '../../common/timing.ts';
import type { Run } from '../../run/run.ts';
import type { CollectorReport } from './collector.ts';
import { type FileState, readFileState, sameFileState } from './file-state.ts';
import { type Report, type ReportOptions, reportOn } from './report.ts';
import type { WatchView } from './watch-view.ts';

export interface WatchOptions {
  readonly file: string;
  readonly report: Omit<ReportOptions, 'now'>;
  readonly now: () => ReportOptions['now'];
  readonly pauseMs: number;
  readonly signal: AbortSignal;
  readonly view: WatchView;
}

/** Checks the file at each write until the signal aborts. Resolves to the last report; undefined if there is none. */
export async function watch(options: WatchOptions): Promise<Report | undefined> {
  const { file, signal, view } = options;
  let state: FileState | undefined;
  let run: Run | undefined;
  let report: Report | undefined;
  while (!signal.aborted) {
    const next = await readFileState(file, options.report.config);
    if (state === undefined || !sameFileState(state, next)) {
      const checked = await reportOn(next, run, { ...options.report, now: options.now() });
      view.showReport(checked.report, report);
      ({ report, run } = checked);
      state = next;
    }
    await pause(options.pauseMs, signal);
  }
  return report;
}

/** Tests the connection to the Collector over and over until the signal aborts. Resolves to the last result. */
export async function watchCollector(
  probe: () => Promise<CollectorReport>,
  pauseMs: number,
  { signal, view }: Pick<WatchOptions, 'signal' | 'view'>,
): Promise<CollectorReport | undefined> {
  const aborted = whenAborted(signal).then(() => undefined);
  let last: CollectorReport | undefined;
  while (!signal.aborted) {
    const report = await Promise.race([probe(), aborted]);
    if (report === undefined) break;
    view.showCollector(report, last);
    last = report;
    await pause(pauseMs, signal);
  }
  return last;
}
