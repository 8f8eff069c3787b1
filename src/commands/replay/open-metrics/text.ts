/** A metric family of OpenMetrics. */
export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
}

/** How the points of a series are written. */
export interface SeriesText {
  readonly family: Family;
  /** Name and labels of each line of a point. A histogram has many. */
  readonly lines: readonly string[];
}

/** The lines before the samples of a family. */
export function headerOf({ name, type, help }: Family): string {
  const unit = /_(seconds|milliseconds|ratio)$/.exec(name)?.[1];
  const unitLine = unit === undefined ? '' : `# UNIT ${name} ${unit}\n`;
  return `# TYPE ${name} ${type}\n${unitLine}# HELP ${name} ${escaped(help)}\n`;
}

export const labelText = (labels: readonly (readonly [key: string, value: string])[]): string =>
  `{${labels.map(([key, value]) => `${key}="${escaped(value)}"`).join(',')}}`;

const escaped = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

export function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

/** OpenMetrics demands that the bound is written as a floating point number. */
export const boundText = (bound: number): string =>
  Number.isInteger(bound) ? `${bound}.0` : numberText(bound);

/**
 * Seconds with three decimals, of whole milliseconds. Prometheus multiplies them by 1,000 as a double and cuts the result
 * off, so a microsecond is added where that would be a millisecond less.
 */
export function timeText(unixMs: number): string {
  const text = `${Math.floor(unixMs / 1000)}.${String(unixMs % 1000).padStart(3, '0')}`;
  return Math.trunc(Number(text) * 1000) === unixMs ? text : `${text}001`;
}
