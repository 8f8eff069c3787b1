import type { Panel } from '../generate/dashboard/panel.ts';
import { curveLabel } from '../generate/dashboard/since-start-panels.ts';
import { formatValue } from './format.ts';
import type { Answer } from './prometheus.ts';
import { type Box, colors, polyline, rectangle, text } from './svg.ts';

interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, value: number])[];
}

interface Curves {
  readonly panel: Panel;
  readonly curves: readonly Curve[];
  /** Of x, from the left to the right. */
  readonly range: { readonly from: number; readonly to: number };
  /** Grafana's id of the unit of x, if the ends of its axis are named. */
  readonly xUnit?: string;
}

const legendHeight = 18;
const axisHeight = 12;

export function drawCurves({ panel, curves, range, xUnit }: Curves, { x, y, width, height }: Box): string {
  const values = curves.flatMap(({ points }) => points.map(([, value]) => value)).filter(Number.isFinite);
  if (values.length === 0)
    return text(x + width / 2, y + height / 2, 'No data', { anchor: 'middle', color: '#999' });
  const low = panel.min ?? Math.min(...values);
  const highest = Math.max(panel.max ?? Number.NEGATIVE_INFINITY, ...values);
  const high = highest > low ? highest : low + 1;
  const valueWidth = 66;
  const below = legendHeight + 6 + (xUnit === undefined ? 0 : axisHeight);
  const plot = { x: x + valueWidth, y, width: width - valueWidth, height: height - below };
  const place = ([at, value]: readonly [number, number]) =>
    [
      plot.x + ((at - range.from) / (range.to - range.from)) * plot.width,
      plot.y + plot.height - ((value - low) / (high - low)) * plot.height,
    ] as const;
  const grid = [0, 0.5, 1].map((share) => {
    const level = plot.y + plot.height * (1 - share);
    const line = rectangle({ x: plot.x, y: level, width: plot.width, height: 0.6 }, '#e5e5e5');
    const value = formatValue(low + (high - low) * share, panel.unit);
    return `${line}\n${text(plot.x - 5, level + 4, value, { anchor: 'end', size: 9, color: '#777' })}`;
  });
  const lines = curves.map(({ points }, index) =>
    polyline(points.filter(([, value]) => Number.isFinite(value)).map(place), colorOf(index)),
  );
  const names = curves.map(({ name }) => name);
  return [
    ...grid,
    ...(xUnit === undefined ? [] : drawAxis(range, xUnit, plot)),
    ...lines,
    drawLegend(names, { ...plot, y: y + height }),
  ].join('\n');
}

/** A curve for each job: its values over the time since its start, which another query answers at the same times. */
export function sinceStart(panel: Panel, elapsed: readonly Answer[], values: readonly Answer[]): Curves {
  const curves = values.map(({ labels, points }) => {
    const name = labels[curveLabel] ?? '';
    const elapsedAt = new Map(elapsed.find((it) => it.labels[curveLabel] === name)?.points);
    return {
      name,
      points: points.flatMap(([at, value]) => {
        const x = elapsedAt.get(at);
        return x === undefined ? [] : [[x, value] as const];
      }),
    };
  });
  const all = curves.flatMap(({ points }) => points.map(([x]) => x));
  return { panel, curves, range: { from: Math.min(0, ...all), to: Math.max(1, ...all) }, xUnit: 's' };
}

function drawAxis(range: Curves['range'], unit: string, { x, y, width, height }: Box): readonly string[] {
  const style = { size: 9, color: '#777' } as const;
  const level = y + height + axisHeight;
  return [
    text(x, level, formatValue(range.from, unit), style),
    text(x + width, level, formatValue(range.to, unit), { ...style, anchor: 'end' }),
  ];
}

const colorOf = (index: number) => colors[index % colors.length] ?? '#000';

function drawLegend(names: readonly string[], { x, y, width }: Box): string {
  let left = x;
  const parts: string[] = [];
  for (const [index, name] of names.entries()) {
    const needed = 16 + name.length * 4.8;
    if (left + needed > x + width) break;
    parts.push(rectangle({ x: left, y: y - 8, width: 8, height: 3 }, colorOf(index)));
    parts.push(text(left + 11, y - 3, name, { size: 9 }));
    left += needed;
  }
  return parts.join('\n');
}
