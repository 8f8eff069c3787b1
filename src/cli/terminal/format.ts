const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Integers and large numbers in groups of three digits, others with four or five digits. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e12 || (size > 0 && size < 1e-5)) return value.toExponential(3);
  if (Number.isInteger(value) || size >= 1000) return whole.format(value);
  return value.toPrecision(size >= 1 ? 5 : 4);
}

/** Pads a number to align the decimal points of a column, with `whole` columns before the point. */
export function alignPoint(text: string, whole: number, width: number): string {
  const point = text.indexOf('.');
  return (' '.repeat(Math.max(0, whole - (point < 0 ? text.length : point))) + text).padEnd(width);
}

/** A duration in one unit, rounded: `3 hours`. */
export function duration(ms: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const;
  const [name, size] = units.find(([, length]) => ms >= 2 * length) ?? ['second', 1000];
  const count = size === 1000 && ms < 9_950 ? Math.round(ms / 100) / 10 : Math.round(ms / size);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** How far a run is: `34.2 %, about 3 hours left`. */
export function formatProgress(share: number, remainingMs: number | undefined): string {
  const left = remainingMs === undefined ? '' : `, about ${duration(remainingMs)} left`;
  return `${formatPercent(share)}${left}`;
}

/** Rounded down, so that a run is at 100 % only when it is done. */
export const formatPercent = (share: number): string => `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
