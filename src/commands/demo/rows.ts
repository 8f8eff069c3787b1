import type { MetricDefinition } from '../../catalogue/metrics.ts';
import { formatLabels, prometheusName } from '../../catalogue/prometheus-name.ts';
import { alignPoint, formatNumber } from '../../cli/terminal/format.ts';
import { type Line, type Span, span } from '../../cli/terminal/line.ts';
import type { Point } from './receiver/receiver.ts';

export type Labels = Point['attributes'];

const nameWidth = 42;
const integerWidth = 8;
const valueWidth = 19;
/** The number of columns from which descriptions are shown. */
const descriptionColumns = 90;

const row = (name: string, ...rest: readonly Span[]): Line => [` ${name.padEnd(nameWidth)}`, ...rest];

/** A metric with one series: name, value and, if there is room, description. Labels in `common` are not repeated. */
export function metricRow(
  metric: MetricDefinition,
  point: Point | undefined,
  common: Labels,
  columns: number,
): Line {
  const description =
    columns < descriptionColumns ? [] : [span('faint', metric.description.replace(/[:,].*/, ''))];
  const name = prometheusName(metric);
  if (point === undefined)
    return row(name, span('faint', alignPoint('–', integerWidth, valueWidth)), ...description);
  const series = `${name}${formatLabels(without(point.attributes, common))}`;
  if (point.count !== undefined) return row(series, ...histogram(point, point.count, columns));
  const value = alignPoint(formatNumber(point.value), integerWidth, valueWidth);
  return row(series, Number.isFinite(point.value) ? value : span('bad', value), ...description);
}

function histogram(point: Point, count: number, columns: number): readonly Span[] {
  const sum = [formatNumber(point.value).padStart(12), span('faint', ' _sum')];
  return [
    alignPoint(formatNumber(count), integerWidth, integerWidth),
    span('faint', ' _count'),
    ...(columns < descriptionColumns ? [] : sum),
    (count === 0 ? '–' : formatNumber(point.value / count)).padStart(10),
    span('faint', ' mean'),
  ];
}

/** A metric with one series per value of `label`. Series at 0 are left out. */
export function labelledRow(
  metric: MetricDefinition,
  points: readonly Point[] | undefined,
  label: string,
): Line {
  const values = (points ?? [])
    .filter((point) => point.value !== 0)
    .map((point) => [String(point.attributes[label] ?? ''), formatNumber(point.value)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const spans = values.flatMap(([name, value], index) => [
    index === 0 ? value.padStart(integerWidth) : `   ${value}`,
    span('faint', ` ${name}`),
  ]);
  const none = span('faint', '–'.padStart(integerWidth));
  return row(`${prometheusName(metric)}{${label}}`, ...(spans.length === 0 ? [none] : spans));
}

const without = (labels: Labels, others: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => !(key in others)));
