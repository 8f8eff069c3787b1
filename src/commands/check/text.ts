import { formatLabels } from '../../catalogue/prometheus-name.ts';
import { duration, formatProgress } from '../../cli/terminal/format.ts';
import { clip, type Line, type Span, span, type Tone, widthOf } from '../../cli/terminal/line.ts';
import { wrap } from '../../cli/wrap.ts';
import type { CollectorReport } from './collector.ts';
import { type FieldReport, type FieldStatus, skippedFields } from './field.ts';
import type { ProblemReport, Report } from './report.ts';
import type { ExportedMetric } from './series.ts';

/** A report as lines, none wider than `columns`, which is taken as 60 or more. */
export function reportLines(report: Report, columns: number): readonly Line[] {
  const width = Math.max(60, columns);
  return [
    ...fileLines(report, width),
    ...report.problems.flatMap((problem) => problemLines(problem, width)),
    ...sectionLines('training_metrics', report, width),
    ...sectionLines('job_metadata', report, width),
    ...sectionLines('top level', report, width),
    ...labelLines(report, width),
    ...report.notes.flatMap((note) =>
      ['', ...hangingIndent(span('warning', 'Note  '), note, width)].map(toLine),
    ),
    ...progressLines(report).flatMap((line) => [[], line]),
    [],
    ...summaryLines(report, width),
  ];
}

const toLine = (it: string | Line): Line => (it === '' ? [] : typeof it === 'string' ? [it] : it);

function fileLines({ file }: Report, width: number): readonly Line[] {
  const { bytes, ageSeconds, owner, access, format } = file;
  const facts = [
    bytes === undefined ? undefined : `${bytes} bytes`,
    ageSeconds === undefined ? undefined : `written ${duration(ageSeconds * 1000)} ago`,
    owner && `owner uid ${owner.uid}, gid ${owner.gid}, mode ${owner.mode}`,
  ].filter((it) => it !== undefined);
  const readable = access.status === 'readable' ? [`Readable by the bridge (uid ${access.uid})`] : [];
  return [
    ...hardBreaks(file.path, width).map((piece): Line => [span('strong', piece)]),
    ...(facts.length === 0 ? [] : [[facts.join(', ')]]).flatMap((line) =>
      line.flatMap((it) => wrap(it, width)).map((it): Line => [it]),
    ),
    ...readable.map((it): Line => [it]),
    ...(format === undefined || format === 'json' ? [] : [[`Log, read as ${format}`]]),
  ];
}

/** Breaks a text without spaces, such as a path, at the end of each line. */
function hardBreaks(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let room = 0;
  for (const character of text.replaceAll(/\p{C}/gu, '\uFFFD')) {
    room -= widthOf([character]);
    if (room < 0) {
      lines.push('');
      room = width - widthOf([character]);
    }
    lines[lines.length - 1] += character;
  }
  return lines;
}

function problemLines({ message, at }: ProblemReport, width: number): readonly Line[] {
  const place = at === undefined ? '' : `line ${at.line}, column ${at.column}: `;
  const lines = hangingIndent(span('bad', '✗ '), `${place}${message}`, width);
  if (at === undefined) return [[], ...lines];
  const margin = `  ${at.line} | `;
  const column = margin.length + widthOf([[...at.text].slice(0, at.caret).join('')]);
  return [[], ...lines, [], [span('faint', margin), at.text], [' '.repeat(column), span('bad', '^')]];
}

/** A mark, and text that is indented past it on every line. */
function hangingIndent(mark: Span, text: string, width: number): readonly Line[] {
  const indent = widthOf([mark]);
  return wrapHard(text, width - indent).map((line, index) =>
    index === 0 ? [mark, line] : [' '.repeat(indent), line],
  );
}

const wrapHard = (text: string, width: number) =>
  wrap(text, width).flatMap((line) => hardBreaks(line, width));

export const statusMarks: Readonly<Record<FieldStatus, Span>> = {
  accepted: span('good', '✓ '),
  converted: span('warning', '≈ '),
  ignored: span('faint', '– '),
  refused: span('bad', '✗ '),
};

const nameWidth = 18;
const valueWidth = 11;

function sectionLines(section: FieldReport['section'], { fields }: Report, width: number): readonly Line[] {
  const own = fields.filter((field) => field.section === section);
  if (own.length === 0) return [];
  return [[], [span('strong', section)], ...own.flatMap((field) => fieldLines(field, width))];
}

/** The field and its value on the left, the metric it produces on the right. */
function fieldLines(field: FieldReport, width: number): readonly Line[] {
  const isMetric = field.section === 'training_metrics';
  const indent = 2 + nameWidth + 1 + (isMetric ? valueWidth + 1 : 0);
  const right = isMetric ? metricLines(field, width - indent) : metadataLines(field, width - indent);
  const name = field.field.replaceAll(/\p{C}/gu, '\uFFFD') || '""';
  const value = isMetric ? clip([field.written], valueWidth) : [];
  const left: Line = [
    statusMarks[field.verdict],
    padded([name], nameWidth),
    ' ',
    ...(isMetric ? [padded(value, valueWidth), ' '] : []),
  ];
  const rest = (lines: readonly Line[]) => lines.map((line): Line => [' '.repeat(indent), ...line]);
  if (widthOf([name]) > nameWidth) {
    const values = isMetric ? [' ', ...value] : [];
    return [clip([statusMarks[field.verdict], name, ...values], width), ...rest(right)];
  }
  const [first = [], ...others] = right;
  return [[...left, ...first], ...rest(others)];
}

const padded = (line: Line, width: number): string =>
  line.map((it) => (typeof it === 'string' ? it : it.text)).join('') +
  ' '.repeat(Math.max(0, width - widthOf(line)));

function metricLines({ metric, becomes, advice, verdict }: FieldReport, width: number): readonly Line[] {
  return [
    ...(metric === undefined ? [] : describeMetric(metric, width)),
    ...(becomes === undefined ? [] : wrapped(becomes, width)),
    ...(advice === undefined ? [] : wrapped(advice, width, verdict === 'accepted' ? 'warning' : undefined)),
  ];
}

function describeMetric({ name, instrument, unit, series }: ExportedMetric, width: number): readonly Line[] {
  const kind = unit === '' ? instrument : `${instrument} in ${unit}`;
  return [
    ...series.flatMap((it) => hardBreaks(it.name, width)).map((it): Line => [span('curve', it)]),
    ...wrapped(`${name}, ${kind}`, width, 'faint'),
  ];
}

function metadataLines({ written, becomes, advice }: FieldReport, width: number): readonly Line[] {
  if (becomes?.startsWith('label ')) return hardBreaks(becomes, width).map((it): Line => [it]);
  return [
    clip([written], width),
    ...(becomes === undefined || becomes === '' ? [] : wrapped(becomes, width, 'faint')),
    ...(advice === undefined ? [] : wrapped(advice, width)),
  ];
}

const wrapped = (text: string, width: number, tone?: Tone): readonly Line[] =>
  wrapHard(text, width).map((it): Line => [tone === undefined ? it : span(tone, it)]);

function labelLines({ fields, labels, runMetrics, bridgeSeries }: Report, width: number): readonly Line[] {
  if (!fields.some(({ metric }) => metric !== undefined)) return [];
  const texts = Object.entries(labels).map(([name, value]) => formatLabels({ [name]: value }).slice(1, -1));
  const others = [
    ...new Set(runMetrics.flatMap(({ series }) => series.map(({ name }) => name))),
    ...bridgeSeries,
  ];
  return [
    [],
    [span('strong', 'Labels of these series')],
    ...wrapHard(texts.join(', '), width - 2).map((it): Line => ['  ', it]),
    ...(isHostSpecific(labels.instance)
      ? [['  ', span('faint', 'instance depends on the host name and the path')]]
      : []),
    [],
    [span('strong', 'Additional series')],
    ...wrapHard(others.join(', '), width - 2).map((it): Line => ['  ', span('faint', it)]),
  ];
}

/** How far the run is, if the file says how long it is. */
export function progressLines({ progress }: Report): readonly Line[] {
  if (progress === null) return [];
  const { share, remainingSeconds: seconds } = progress;
  const text = formatProgress(share, seconds === undefined ? undefined : seconds * 1000);
  return [[span('strong', 'Progress: '), text]];
}

/** A UUID of the host name and the path, used if the pod's name is not known. */
const isHostSpecific = (instance = '') => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(instance);

function summaryLines({ status, fields }: Report, width: number): readonly Line[] {
  if (status === 'unusable')
    return hangingIndent(span('bad', 'Not usable: '), 'the bridge exports no metrics from this file.', width);
  const metrics = fields.filter(({ metric }) => metric !== undefined).length;
  const skipped = skippedFields(fields).map(({ field }) => field || '""');
  const out = skipped.length === 0 ? 'No field is skipped.' : `Skipped: ${skipped.join(', ')}.`;
  const summary = `${count(metrics, 'metric')} from ${count(fields.length, 'field')}. ${out}`;
  return hangingIndent(span('good', 'Usable: '), summary, width);
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** The result of each step of the connection to the Collector. */
export function collectorLines(report: CollectorReport, columns: number): readonly Line[] {
  const width = Math.max(60, columns);
  const title = `Collector at ${report.endpoint}, ${report.transport === 'tls' ? 'with TLS' : 'in plaintext'}`;
  return [
    [],
    [span('strong', title)],
    ...report.steps.flatMap(({ step, status, detail, advice }) => {
      const mark = statusMarks[status === 'ok' ? 'accepted' : status === 'failed' ? 'refused' : 'ignored'];
      const texts = [
        ...wrapHard(detail, width - 14),
        ...(advice === undefined ? [] : wrapHard(advice, width - 14)),
      ];
      return texts.map(
        (text, index): Line => (index === 0 ? [mark, step.padEnd(12), text] : [' '.repeat(14), text]),
      );
    }),
  ];
}
