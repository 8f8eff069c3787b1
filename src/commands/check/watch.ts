import { setTimeout as sleep } from 'node:timers/promises';
import { clip, type Line, span, widthOf } from '../../cli/terminal/line.ts';
import { columnsOf, type Output, painted } from '../../cli/terminal/output.ts';
import type { Run } from '../../run/run.ts';
import { changesBetween } from './changes.ts';
import type { FieldReport } from './field.ts';
import { type FileState, readFileState, sameFileState } from './file-state.ts';
import { type Report, type ReportOptions, reportOn } from './report.ts';
import { reportLines, statusMarks } from './text.ts';

export interface WatchOptions {
  readonly file: string;
  readonly report: Omit<ReportOptions, 'now'>;
  readonly now: () => ReportOptions['now'];
  readonly pauseMs: number;
  readonly signal: AbortSignal;
  /** Called for the first check and after every write. */
  readonly onReport: (report: Report, before: Report | undefined) => void;
}

/** Checks the file at each write until the signal aborts. Resolves to the last report; undefined if there is none. */
export async function watch(options: WatchOptions): Promise<Report | undefined> {
  const { file, signal, onReport } = options;
  let state: FileState | undefined;
  let run: Run | undefined;
  let report: Report | undefined;
  while (!signal.aborted) {
    const next = await readFileState(file);
    if (state === undefined || !sameFileState(state, next)) {
      const checked = await reportOn(next, run, { ...options.report, now: options.now() });
      onReport(checked.report, report);
      ({ report, run } = checked);
      state = next;
    }
    await sleep(options.pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return report;
}

/** Prints lines where the output is not a terminal: the full first report, then what each write changed. */
export function plainWatch(output: Output, clock: () => Date): WatchOptions['onReport'] {
  return (report, before) => {
    if (before === undefined) {
      output.write(textOf(output, reportLines(report, columnsOf(output))));
      return;
    }
    const changes = changesBetween(before, report);
    const time = clock().toISOString().slice(11, 19);
    output.write(`${time}  ${changes.length === 0 ? 'written, and nothing changed' : changes.join(', ')}\n`);
  };
}

/** One screen, redrawn at every write. */
export function screenWatch(output: Output, clock: () => Date): WatchOptions['onReport'] {
  return (report, before) => {
    const columns = (output.columns ?? 80) - 1;
    const rows = (output.rows ?? 24) - 1;
    const lines = screenLines(report, before, clock(), columns);
    const shown = lines.length > rows ? [...lines.slice(0, rows - 1), ['  …']] : lines;
    output.write(
      `\u001b[H\u001b[2J${textOf(
        output,
        shown.map((line) => clip(line, columns)),
      )}`,
    );
  };
}

const textOf = (output: Output, lines: readonly Line[]) =>
  lines.map((line) => `${painted(output, line).trimEnd()}\n`).join('');

function screenLines(
  report: Report,
  before: Report | undefined,
  now: Date,
  columns: number,
): readonly Line[] {
  const status = report.status === 'usable' ? span('good', 'usable') : span('bad', 'not usable');
  const time = span('faint', `  ${now.toISOString().slice(11, 19)} UTC, Ctrl-C ends`);
  const title: Line = [status, time];
  if (report.status === 'unusable') return [title, ...reportLines(report, columns)];
  const was = new Map(before?.fields.map((field) => [keyOf(field), field.written]));
  const metrics = report.fields.filter(({ section }) => section === 'training_metrics');
  const others = report.fields.filter(({ section }) => section !== 'training_metrics');
  const path: Line = [span('strong', report.file.path)];
  return [title, path, [], ...[...metrics, ...others].map((field) => row(field, was.get(keyOf(field))))];
}

const keyOf = ({ section, field }: FieldReport) => `${section} ${field}`;

function row(field: FieldReport, was: string | undefined): Line {
  const { verdict, field: name, written, metric, advice, becomes } = field;
  const changed = was !== undefined && was !== written;
  const result = verdict === 'accepted' && metric ? metric.name : (advice ?? becomes ?? metric?.name ?? '');
  return [
    statusMarks[verdict],
    cell([name || '""'], 19),
    changed ? span('strong', cell([`${was} → ${written}`], 22)) : cell([written], 22),
    verdict === 'accepted' ? span('faint', result) : result,
  ];
}

/** Cut and padded to a width, with a space at its end. */
function cell(line: Line, width: number): string {
  const cut = clip(line, width - 1);
  const text = cut.map((it) => (typeof it === 'string' ? it : it.text)).join('');
  return text.replaceAll(/\p{C}/gu, '\uFFFD') + ' '.repeat(Math.max(1, width - widthOf(cut)));
}
