/** A value as Grafana shows it in one of the units that the dashboard uses. */
export function formatValue(value: number | undefined, unit: string | undefined): string {
  if (value === undefined) return 'No data';
  if (!Number.isFinite(value)) return String(value);
  if (unit === 'percentunit') return `${short(value * 100)}%`;
  if (unit === 's') return duration(value);
  if (unit === 'sci') return value.toExponential(2);
  if (unit === 'ms') return `${short(value)} ms`;
  return unit?.startsWith('suffix:')
    ? `${short(value)} ${unit.slice('suffix:'.length).trim()}`
    : short(value);
}

const short = (value: number) => String(Number(value.toPrecision(3)));

function duration(seconds: number): string {
  if (seconds > 0 && seconds < 1) return `${short(seconds * 1000)} ms`;
  if (seconds < 60) return `${short(seconds)} s`;
  return seconds < 3600 ? `${short(seconds / 60)} min` : `${short(seconds / 3600)} h`;
}

/** A legend such as `rank {{rank}}` with the labels of a series. */
export const formatLegend = (legend: string, labels: Readonly<Record<string, string>>) =>
  legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '').trim();
