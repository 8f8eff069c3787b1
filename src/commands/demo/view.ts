import {
  bridgeMetrics,
  type MetricDefinition,
  runAttributes,
  runMetrics,
  trainingMetrics,
} from '../../catalogue/metrics.ts';
import { formatLabels } from '../../catalogue/prometheus-name.ts';
import { chart } from '../../cli/terminal/chart.ts';
import { formatProgress } from '../../cli/terminal/format.ts';
import { clip, type Line, span, spread, type Tone, widthOf } from '../../cli/terminal/line.ts';
import type { Size } from '../../cli/terminal/screen.ts';
import { type Labels, labelledRow, metricRow } from './rows.ts';
import { type DemoState, epochOf, latestPoint, runState } from './state.ts';

/** The screen does not grow beyond this on a larger terminal. */
export const maximumSize: Size = { columns: 100, rows: 30 };

/** The metrics that every job writes; the others are optional. */
const requiredMetrics = trainingMetrics.slice(0, 9);

/** The fewest rows for a curve, including the row of epochs. */
const minimumCurveRows = 5;

/**
 * The rows of a screen, limited by `size` and `maximumSize`. If there are too few rows, the details of the bridge are left
 * out first, then the curve, then the last rows. `note` is the last row.
 */
export function view(state: DemoState, size: Size, note = ''): readonly Line[] {
  const columns = Math.min(size.columns, maximumSize.columns);
  const rows = Math.min(size.rows, maximumSize.rows);
  const footer = note === '' ? [] : [[' ', span('faint', note)]];
  const room = Math.max(0, rows - footer.length);
  const lines =
    withCurve(state, columns, room, 'full') ??
    withCurve(state, columns, room, 'compact') ??
    [title(state, columns), ...body(state, columns, 'full')].slice(0, room);
  return [...lines, ...footer].slice(0, rows).map((line) => clip(line, columns));
}

type Detail = 'full' | 'compact';

/** Fills all rows, with the curve in those that are left; undefined if there are too few. */
function withCurve(
  state: DemoState,
  columns: number,
  rows: number,
  detail: Detail,
): readonly Line[] | undefined {
  const head = [title(state, columns), ...(detail === 'full' ? [[]] : [])];
  const rest = [[], ...body(state, columns, detail)];
  const room = rows - head.length - rest.length;
  return room < minimumCurveRows ? undefined : [...head, ...chart(state.curve, columns - 1, room), ...rest];
}

const body = (state: DemoState, columns: number, detail: Detail): readonly Line[] => [
  ...trainingRows(state, columns),
  ...(detail === 'full' ? [[]] : []),
  ...bridgeRows(state, columns, detail),
];

const tones: Readonly<Record<string, Tone>> = {
  running: 'good',
  completed: 'good',
  stalled: 'warning',
  failed: 'bad',
};

function title(state: DemoState, columns: number): Line {
  const current = runState(state) ?? 'waiting';
  const epoch = epochOf(state);
  const total = latestPoint(state, 'ml.training.total_epochs')?.value;
  const epochText =
    epoch === undefined ? '' : `epoch ${epoch}${total === undefined ? '' : ` of ${total}`}   `;
  const rightSide = [epochText, progressText(state), span(tones[current] ?? 'faint', `● ${current}`)];
  const name = [' ', span('strong', 'ml-metrics-bridge')];
  const path = [...name, span('faint', '   current.json → OTLP/gRPC → Prometheus names')];
  return spread(widthOf([...path, ...rightSide]) + 3 > columns ? name : path, rightSide, columns - 1);
}

function progressText(state: DemoState): string {
  const share = latestPoint(state, runMetrics.progress.name)?.value;
  const seconds = latestPoint(state, runMetrics.estimatedRemaining.name)?.value;
  if (share === undefined) return '';
  return `${formatProgress(share, seconds === undefined ? undefined : seconds * 1000)}   `;
}

function trainingRows(state: DemoState, columns: number): readonly Line[] {
  const common = commonLabels(state);
  const labels = formatLabels(common) || 'waiting for the first snapshot';
  const nonFinite = state.latest.get(runMetrics.nonFinite.name);
  return [
    [' ', span('faint', labels)],
    ...requiredMetrics.map((metric) => metricRow(metric, latestPoint(state, metric.name), common, columns)),
    labelled(state, runMetrics.state, 'state'),
    // Shown only after a value was not finite.
    ...(nonFinite?.some(({ value }) => value > 0) ? [labelled(state, runMetrics.nonFinite, 'field')] : []),
  ];
}

function bridgeRows(state: DemoState, columns: number, detail: Detail): readonly Line[] {
  const { snapshots, exports, fileAge, backlog } = bridgeMetrics;
  const single = detail === 'full' ? [fileAge, backlog] : [];
  return [
    labelled(state, snapshots, 'outcome'),
    labelled(state, exports, 'outcome'),
    ...single.map((metric) => metricRow(metric, latestPoint(state, metric.name), {}, columns)),
  ];
}

const labelled = (state: DemoState, metric: MetricDefinition, label: string): Line =>
  labelledRow(metric, state.latest.get(metric.name), label);

/** The labels of the run that all series on the screen share. */
function commonLabels(state: DemoState): Labels {
  const points = requiredMetrics.flatMap((metric) => state.latest.get(metric.name) ?? []);
  const ofRun: readonly string[] = Object.values(runAttributes);
  return Object.fromEntries(
    Object.entries(points[0]?.attributes ?? {}).filter(
      ([key, value]) => ofRun.includes(key) && points.every((point) => point.attributes[key] === value),
    ),
  );
}
