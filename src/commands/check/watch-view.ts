import { clip, type Line, span, widthOf } from '../../cli/terminal/line.ts';
import { columnsOf, type Output, painted, printLines, sizeOf } from '../../cli/terminal/output.ts';
import { changesBetween, changeText } from './changes.ts';
import type { CollectorReport } from './collector.ts';
import type { FieldReport } from './field.ts';
import type { Report } from './report.ts';
import { collectorLines, progressLines, reportLines, statusMarks } from './text.ts';

/** What `--watch` shows. */
export interface WatchView {
  /** Called for the first check and after every write. */
  readonly showReport: (report: Report, before: Report | undefined) => void;
  /** Called after every test of the connection to the Collector. */
  readonly showCollector: (report: CollectorReport, before: CollectorReport | undefined) => void;
}

/** One line per write, and one for each change of the connection to the Collector. */
export function jsonWatch(output: Output): WatchView {
  const print = (value: unknown) => void output.write(`${JSON.stringify(value)}\n`);
  return {
    showReport: print,
    showCollector: (collector, before) => {
      if (collectorChanged(collector, before)) print({ collector });
    },
  };
}

/**
 * Lines for an output that is not a terminal: the full report at first and when the file is usable for the first time,
 * then the changes of each write.
 */
export function plainWatch(output: Output, clock: () => Date): WatchView {
  const columns = columnsOf(output);
  let lastUsable: Report | undefined;
  const showChanges = (changes: readonly string[]) => {
    const text = changes.length === 0 ? 'written, no changes' : changes.join(', ');
    output.write(`${timeText(clock())}  ${text}\n`);
  };
  return {
    showReport: (report, before) => {
      if (before !== undefined) showChanges(changesBetween(before, report, lastUsable ?? report));
      const isFirst = before === undefined || (lastUsable === undefined && report.status === 'usable');
      if (isFirst) printLines(output, reportLines(report, columns));
      if (report.status === 'usable') lastUsable = report;
    },
    showCollector: (collector, before) => {
      if (collectorChanged(collector, before)) printLines(output, collectorLines(collector, columns));
    },
  };
}

/** One screen, redrawn at every write and after every test of the connection to the Collector. */
export function screenWatch(output: Output, clock: () => Date): WatchView {
  let shown: { readonly report: Report; readonly before: Report | undefined; readonly at: Date } | undefined;
  let collector: CollectorReport | undefined;
  const draw = () => {
    if (shown === undefined) return;
    const size = sizeOf(output);
    const [columns, rows] = [size.columns - 1, size.rows - 1];
    const status = collector === undefined ? [] : [collectorLine(collector)];
    const lines = screenLines(shown.report, shown.before, shown.at, status, columns);
    const visible = lines.length > rows ? [...lines.slice(0, rows - 1), ['  …']] : lines;
    const text = visible.map((line) => `${painted(output, clip(line, columns)).trimEnd()}\n`).join('');
    output.write(`\u001b[H\u001b[2J${text}`);
  };
  return {
    showReport: (report, before) => {
      shown = { report, before, at: clock() };
      draw();
    },
    showCollector: (report) => {
      collector = report;
      draw();
    },
  };
}

const timeText = (time: Date) => time.toISOString().slice(11, 19);

/** Durations differ between two successful tests. */
const collectorChanged = (after: CollectorReport, before: CollectorReport | undefined) =>
  outcomeOf(after) !== (before && outcomeOf(before));

const outcomeOf = ({ steps }: CollectorReport) => steps.map(({ step, status }) => `${step} ${status}`).join();

function collectorLine({ endpoint, status, steps }: CollectorReport): Line {
  const failed = steps.find((it) => it.status === 'failed');
  const mark = statusMarks[status === 'ok' ? 'accepted' : 'refused'];
  const result = failed === undefined ? 'reachable' : `${failed.step}: ${failed.detail}`;
  return [mark, `Collector at ${endpoint}: ${result}`];
}

function screenLines(
  report: Report,
  before: Report | undefined,
  now: Date,
  collector: readonly Line[],
  columns: number,
): readonly Line[] {
  const status = report.status === 'usable' ? span('good', 'usable') : span('bad', 'not usable');
  const title: Line = [status, span('faint', `  ${timeText(now)} UTC, Ctrl-C to stop`)];
  if (report.status === 'unusable') return [title, ...collector, ...reportLines(report, columns)];
  const was = new Map(before?.fields.map((field) => [keyOf(field), field.written]));
  const metrics = report.fields.filter(({ section }) => section === 'training_metrics');
  const others = report.fields.filter(({ section }) => section !== 'training_metrics');
  const path: Line = [span('strong', report.file.path)];
  const rows = [...metrics, ...others].map((field) => row(field, was.get(keyOf(field))));
  return [title, ...collector, path, ...progressLines(report), [], ...rows];
}

const keyOf = ({ section, field }: FieldReport) => `${section} ${field}`;

const valueWidth = 22;

function row(field: FieldReport, was: string | undefined): Line {
  const { verdict, field: name, written, reason, metric, advice, becomes } = field;
  const changed = was !== undefined && was !== written;
  // A value that is not finite and a name that is read as a field need attention; a metric's name alone does not.
  const result = reason === undefined && metric ? metric.name : (advice ?? becomes ?? metric?.name ?? '');
  return [
    statusMarks[verdict],
    cell([name || '""'], 19),
    changed
      ? span('strong', cell([changeText(was, written, valueWidth - 1)], valueWidth))
      : cell([written], valueWidth),
    verdict !== 'accepted' ? result : span(reason === undefined ? 'faint' : 'warning', result),
  ];
}

/** Cut and padded to a width, with a space at its end. */
function cell(line: Line, width: number): string {
  const cut = clip(line, width - 1);
  const text = cut.map((it) => (typeof it === 'string' ? it : it.text)).join('');
  return text.replaceAll(/\p{C}/gu, '\uFFFD') + ' '.repeat(Math.max(1, width - widthOf(cut)));
}
