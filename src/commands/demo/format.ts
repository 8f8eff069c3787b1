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
