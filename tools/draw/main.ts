// Draws the dashboard as an SVG, with the answers of a real Prometheus, for the documentation:
//   node tools/draw/main.ts http://localhost:9090 10 training-job-001 > docs/images/dashboard.svg
// With the title of a row, only that row, open:
//   node tools/draw/main.ts http://localhost:9090 2880 '.*' 'Selected jobs by time since start'
import { dashboard, rows } from '../generate/dashboard/dashboard.ts';
import { jobVariable, type Panel, type Row } from '../generate/dashboard/panel.ts';
import { maxSteps } from '../generate/dashboard/since-start-panels.ts';
import { withVariables } from '../generate/queries.ts';
import { drawPanel } from './panel.ts';
import { queryRange, steps } from './prometheus.ts';
import { type Box, document, text } from './svg.ts';

const [url = 'http://localhost:9090', minutes = '10', job = '.*', only] = process.argv.slice(2);
const to = Math.floor(Date.now() / 1000);
const range = { from: to - Number(minutes) * 60, to };

const columnWidth = 50;
const rowHeight = 30;

/** Where Grafana places each row and panel, in the order in which they are generated. */
const places = (dashboard().panels ?? [])
  .flatMap((panel) => [panel, ...('panels' in panel ? panel.panels : [])])
  .map(({ gridPos: { x = 0, y = 0, w = 24, h = 1 } = {} }) => ({
    x: x * columnWidth,
    y: y * rowHeight,
    width: w * columnWidth,
    height: h * rowHeight,
  }));

interface Drawn {
  readonly box: Box;
  readonly content: Row | Panel;
}

const isRow = (content: Row | Panel): content is Row => 'panels' in content;

/** What the picture shows. A collapsed row has no panels unless it is the only one. */
const drawn = rows
  .flatMap((row) => [row, ...row.panels].map((content) => ({ row, content })))
  .map(({ row, content }, index) => ({ row, content, box: places[index] }))
  .filter(({ row, content }) => (only === undefined ? isRow(content) || !row.collapsed : row.title === only))
  .flatMap(({ content, box }): readonly Drawn[] => (box === undefined ? [] : [{ content, box }]));
if (drawn.length === 0) throw new Error(`The dashboard has no row with the title ${only}`);

const rowTitle = (title: string, { x, y, height }: Box) =>
  text(x + 8, y + height - 10, title.replace(`$${jobVariable}`, job), { size: 14, weight: 'bold' });

async function draw({ content, box }: Drawn): Promise<string> {
  if (isRow(content)) return rowTitle(content.title, box);
  // At least 15 s from one to the next, as in Grafana.
  const points = content.kind === 'since start' ? Math.min(maxSteps, Number(minutes) * 4) : steps;
  const step = `${Math.ceil((range.to - range.from) / points)}s`;
  const variables = { job, range: `${minutes}m`, step };
  const answers = content.queries.map(({ expr }) =>
    queryRange(url, withVariables(expr, variables), range, points),
  );
  return drawPanel({ panel: content, answers: await Promise.all(answers), range }, box);
}

const top = Math.min(...drawn.map(({ box }) => box.y));
const parts = await Promise.all(
  drawn.map(({ content, box }) => draw({ content, box: { ...box, y: box.y - top } })),
);
process.stdout.write(
  document(
    {
      title: 'The dashboard of a training run, drawn with the answers of Prometheus',
      width: 24 * columnWidth,
      height: Math.max(...drawn.map(({ box }) => box.y + box.height)) - top,
    },
    parts,
  ),
);
