// Draws the dashboard as an SVG, with the answers of a real Prometheus, for the documentation:
//   node tools/draw/main.ts http://localhost:9090 10 training-job-001 > docs/images/dashboard.svg
import { dashboard, rows } from '../generate/dashboard/dashboard.ts';
import {
  defaultWindow,
  jobVariable,
  namespaceVariable,
  rangeVariable,
  windowVariable,
} from '../generate/dashboard/panel.ts';
import { drawPanel } from './panel.ts';
import { queryRange } from './prometheus.ts';
import { type Box, document, text } from './svg.ts';

const [url = 'http://localhost:9090', minutes = '10', job = '.*'] = process.argv.slice(2);
const to = Math.floor(Date.now() / 1000);
const range = { from: to - Number(minutes) * 60, to };

const columnWidth = 50;
const rowHeight = 30;

/** Where Grafana places each panel and row, in the order in which they are generated. */
const places = (dashboard().panels ?? []).map(({ type, gridPos: { x = 0, y = 0, w = 24, h = 1 } = {} }) => ({
  isRow: type === 'row',
  box: { x: x * columnWidth, y: y * rowHeight, width: w * columnWidth, height: h * rowHeight },
}));

function withValues(expr: string): string {
  return expr
    .replaceAll(`$${namespaceVariable}`, '.*')
    .replaceAll(`$${jobVariable}`, job)
    .replaceAll(`$${windowVariable}`, defaultWindow)
    .replaceAll(rangeVariable, `${minutes}m`);
}

const rowTitle = (title: string, { x, y, height }: Box) =>
  text(x + 8, y + height - 10, title.replace(`$${jobVariable}`, job), { size: 14, weight: 'bold' });

const rowPlaces = places.filter(({ isRow }) => isRow);
const panelPlaces = places.filter(({ isRow }) => !isRow);
const titles = rowPlaces.map(({ box }, index) => rowTitle(rows[index]?.title ?? '', box));
const panels = await Promise.all(
  rows
    .flatMap((row) => row.panels)
    .map(async (panel, index) => {
      const queries = panel.queries.map(({ expr }) => queryRange(url, withValues(expr), range));
      const place = panelPlaces[index];
      return place && drawPanel({ panel, answers: await Promise.all(queries), range }, place.box);
    }),
);
const height = Math.max(...places.map(({ box }) => box.y + box.height));
const title = 'The dashboard of a training run, drawn with the answers of Prometheus';
process.stdout.write(
  document({ title, width: 24 * columnWidth, height }, [
    ...titles,
    ...panels.filter((panel) => panel !== undefined),
  ]),
);
