import { runSpans, spanAttributes } from '../../catalogue/spans.ts';
import { formatNumber } from '../../cli/terminal/format.ts';
import type { ReceivedSpan } from './receiver/span.ts';

const nameWidth = 30;
const barWidth = 32;

/** A span in one line: its name, duration, results and events. */
export function formatSpan(span: ReceivedSpan): string {
  return `${title(span).padEnd(nameWidth)}${durationOf(span)}  ${details(span)}`.trimEnd();
}

/**
 * A trace as a tree, children in the order of their start. The bar of a span shows when it took place within the trace.
 * A span whose parent is not there is a root.
 */
export function formatTrace(spans: readonly ReceivedSpan[]): readonly string[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const range = rangeOf(spans);
  return spans
    .filter(({ parentSpanId }) => !ids.has(parentSpanId))
    .flatMap((root) => [row('', root, range), ...childRows(root, spans, '', range)]);
}

interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

const rangeOf = (spans: readonly ReceivedSpan[]): TimeRange => ({
  startMs: Math.min(...spans.map(({ startMs }) => startMs)),
  endMs: Math.max(...spans.map(({ endMs }) => endMs)),
});

function childRows(
  { spanId }: ReceivedSpan,
  spans: readonly ReceivedSpan[],
  indent: string,
  range: TimeRange,
): readonly string[] {
  const children = spans
    .filter(({ parentSpanId }) => parentSpanId === spanId)
    .toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  return children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    return [
      row(`${indent}${isLast ? '└─ ' : '├─ '}`, child, range),
      ...childRows(child, spans, `${indent}${isLast ? '   ' : '│  '}`, range),
    ];
  });
}

function row(indent: string, span: ReceivedSpan, range: TimeRange): string {
  const name = `  ${indent}${title(span)}`.padEnd(nameWidth + 4);
  return `${name}${durationOf(span)}  ${bar(span, range)}`.trimEnd();
}

function bar({ startMs, endMs }: ReceivedSpan, range: TimeRange): string {
  const scale = barWidth / Math.max(1, range.endMs - range.startMs);
  const from = Math.min(barWidth - 1, Math.round((startMs - range.startMs) * scale));
  const length = Math.round((endMs - startMs) * scale);
  return `${' '.repeat(from)}${length === 0 ? '▏' : '█'.repeat(length)}`;
}

function title({ name, attributes }: ReceivedSpan): string {
  const epoch = attributes[spanAttributes.epoch.name];
  return name === runSpans.epoch.name && epoch !== undefined ? `${name} ${epoch}` : name;
}

const durationOf = ({ startMs, endMs }: ReceivedSpan) =>
  `${((endMs - startMs) / 1000).toFixed(2)} s`.padStart(8);

const shownAttributes = [
  ['loss', spanAttributes.loss.name],
  ['validation loss', spanAttributes.validationLoss.name],
] as const;

function details({ attributes, events }: ReceivedSpan): string {
  const results = shownAttributes.flatMap(([label, name]) => {
    const value = attributes[name];
    return typeof value === 'number' ? [`${label} ${formatNumber(value)}`] : [];
  });
  return [...results, ...events.map(({ name }) => `event ${name}`)].join(', ');
}
