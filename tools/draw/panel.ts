import type { Panel } from '../generate/dashboard/panel.ts';
import { stateNumbers } from '../generate/dashboard/panel.ts';
import { drawCurves, sinceStart } from './curves.ts';
import { formatLegend, formatValue } from './format.ts';
import { type Answer, steps, type TimeRange } from './prometheus.ts';
import { type Box, rectangle, text } from './svg.ts';

/** A panel, and what Prometheus answered to each of its queries. */
export interface AnsweredPanel {
  readonly panel: Panel;
  readonly answers: readonly (readonly Answer[])[];
  readonly range: TimeRange;
}

const titleHeight = 30;

export function drawPanel(answered: AnsweredPanel, box: Box): string {
  const { panel } = answered;
  const { x, y, width, height } = box;
  const frame = rectangle({ x: x + 2, y: y + 2, width: width - 4, height: height - 4 }, '#fff', '#d8d9da');
  const title = text(x + 10, y + 18, panel.title, { size: 12, weight: 'bold' });
  const inner = { x: x + 10, y: y + titleHeight, width: width - 20, height: height - titleHeight - 8 };
  return [frame, title, drawContent(answered, inner)].join('\n');
}

function drawContent(answered: AnsweredPanel, box: Box): string {
  switch (answered.panel.kind) {
    case 'stat':
    case 'gauge':
      return drawStat(answered, box);
    case 'states':
      return drawStates(answered, box);
    case 'table':
      return drawTable(answered, box);
    case 'curves':
      return drawCurves({ panel: answered.panel, range: answered.range, curves: seriesOf(answered) }, box);
    case 'since start':
      return drawCurves(
        sinceStart(answered.panel, answered.answers[0] ?? [], answered.answers[1] ?? []),
        box,
      );
  }
}

const seriesOf = ({ panel, answers }: AnsweredPanel) =>
  panel.queries.flatMap(({ legend }, index) =>
    (answers[index] ?? []).map((answer) => ({ ...answer, name: formatLegend(legend, answer.labels) })),
  );

/** The value at the end of the range; undefined if the series has ended before. */
function lastValue({ points }: Answer, { to }: TimeRange): number | undefined {
  const last = points.at(-1);
  return last !== undefined && last[0] >= to - 1 ? last[1] : undefined;
}

const stateOf = (value: number | undefined) =>
  Object.entries(stateNumbers).find(([, { number }]) => number === value);

function drawStat(answered: AnsweredPanel, box: Box): string {
  const { panel, range } = answered;
  const [first] = seriesOf(answered);
  const value = first && lastValue(first, range);
  const shown = panel.states ? (stateOf(value)?.[0] ?? 'No data') : formatValue(value, panel.unit);
  const color = panel.states ? stateColor(value) : '#333';
  return text(box.x + box.width / 2, box.y + box.height / 2 + 10, shown, {
    size: 26,
    anchor: 'middle',
    color,
    weight: 'bold',
  });
}

const stateColor = (value: number | undefined) => {
  const color = stateOf(value)?.[1].color ?? 'text';
  return color === 'text' ? '#888' : color;
};

function drawStates(answered: AnsweredPanel, { x, y, width, height }: Box): string {
  const { from, to } = answered.range;
  const series = seriesOf(answered);
  const each = Math.min(40, height / Math.max(1, series.length));
  const labelWidth = 110;
  const step = (width - labelWidth) / steps;
  return series
    .map(({ name, points }, index) => {
      const top = y + index * each;
      const bands = points.map(([seconds, value]) =>
        rectangle(
          {
            x: x + labelWidth + ((seconds - from) / (to - from)) * (width - labelWidth - step),
            y: top,
            width: step + 0.5,
            height: each - 6,
          },
          stateColor(value),
        ),
      );
      return [text(x, top + each / 2, name.slice(0, 18)), ...bands].join('\n');
    })
    .join('\n');
}

function drawTable(answered: AnsweredPanel, { x, y, width }: Box): string {
  const { panel, answers, range } = answered;
  const jobs = new Map(
    answers.flat().map(({ labels }) => [`${labels.k8s_namespace_name ?? ''} ${labels.job_id ?? ''}`, labels]),
  );
  const columns = ['Namespace', 'Job', ...panel.queries.map(({ legend }) => legend)];
  const column = width / columns.length;
  const header = columns.map((name, index) => text(x + index * column, y + 12, name, { color: '#777' }));
  const rows = [...jobs.values()].map((labels, row) => {
    const values = panel.queries.map(({ legend, unit }, index) => {
      const answer = answers[index]?.find((it) => it.labels.job_id === labels.job_id);
      const value = answer && lastValue(answer, range);
      return legend === 'State'
        ? (stateOf(value)?.[0] ?? '')
        : value === undefined
          ? ''
          : formatValue(value, unit);
    });
    return [labels.k8s_namespace_name ?? '', labels.job_id ?? '', ...values]
      .map((value, index) => text(x + index * column, y + 34 + row * 20, value))
      .join('\n');
  });
  return [...header, ...rows].join('\n');
}
