import { expect, it } from 'vitest';
import { formatLegend, formatValue } from '../../../tools/draw/format.ts';
import { drawPanel } from '../../../tools/draw/panel.ts';
import type { Panel } from '../../../tools/generate/dashboard/panel.ts';

const range = { from: 0, to: 100 };
const box = { x: 0, y: 0, width: 300, height: 200 };
const panel = (overrides: Partial<Panel>): Panel => ({
  kind: 'curves',
  title: 'Loss & more',
  description: '',
  width: 6,
  height: 5,
  queries: [{ legend: '{{rank}} loss', expr: 'loss' }],
  ...overrides,
});
const series = (points: readonly (readonly [number, number])[], rank = '3') => ({ labels: { rank }, points });

it.each([
  [0.118, 'percentunit', '11.8%'],
  [714, 's', '11.9 min'],
  [0.25, 's', '250 ms'],
  [0, 's', '0 s'],
  [7_200, 's', '2 h'],
  [0.0009, 'sci', '9.00e-4'],
  [134.45, 'suffix: samples/s', '134 samples/s'],
  [1.2345, undefined, '1.23'],
  [undefined, 's', 'No data'],
  [Number.NaN, 's', 'NaN'],
])('%s in unit %s is %s', (value, unit, text) => {
  expect(formatValue(value, unit)).toBe(text);
});

it('a legend has the labels of its series, and nothing for one that is absent', () => {
  expect(formatLegend('rank {{rank}} {{k8s_namespace_name}}', { rank: '3' })).toBe('rank 3');
});

it('curves are drawn from the left to the right, and from the lowest to the highest value', () => {
  const svg = drawPanel(
    {
      panel: panel({ min: 0 }),
      answers: [
        [
          series([
            [0, 0],
            [100, 2],
          ]),
        ],
      ],
      range,
    },
    box,
  );
  const points = /<polyline points="([\d.]+),([\d.]+) ([\d.]+),([\d.]+)"/.exec(svg)?.slice(1).map(Number);
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = points ?? [];
  expect(x2).toBeGreaterThan(x1);
  expect(y2).toBeLessThan(y1);
  expect(svg).toContain('Loss &amp; more');
  expect(svg).toContain('>3 loss<');
});

it('NaN is not drawn, and a panel without an answer says so', () => {
  const nan = drawPanel(
    {
      panel: panel({}),
      answers: [
        [
          series([
            [0, 1],
            [50, Number.NaN],
            [100, 2],
          ]),
        ],
      ],
      range,
    },
    box,
  );
  expect(nan).not.toContain('NaN');
  expect(drawPanel({ panel: panel({}), answers: [[]], range }, box)).toContain('No data');
});

it('a single value is the one at the end, and a state has its name', () => {
  const at = (points: readonly (readonly [number, number])[], states?: true) =>
    drawPanel(
      { panel: panel({ kind: 'stat', ...(states && { states }) }), answers: [[series(points)]], range },
      box,
    );
  expect(
    at([
      [0, 1],
      [100, 3],
    ]),
  ).toContain('>3<');
  expect(
    at(
      [
        [0, 1],
        [100, 3],
      ],
      true,
    ),
  ).toContain('>running<');
  expect(
    at([
      [0, 1],
      [50, 3],
    ]),
  ).toContain('No data');
});

it('curves by time since start lie over each other, whenever their runs were', () => {
  const of = (curve: string, points: readonly (readonly [number, number])[]) => ({
    labels: { curve },
    points,
  });
  const elapsed = [
    of('monday', [
      [10, 0],
      [20, 10],
    ]),
    of('friday', [
      [80, 0],
      [90, 10],
    ]),
  ];
  const values = [
    of('monday', [
      [10, 3],
      [20, 2],
    ]),
    of('friday', [
      [80, 3],
      [90, 2],
    ]),
  ];
  const svg = drawPanel({ panel: panel({ kind: 'since start' }), answers: [elapsed, values], range }, box);
  const [first, second] = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => points);
  expect(first).toBe(second);
  expect(first).toBeDefined();
  for (const shown of ['>monday<', '>friday<', '>10 s<']) expect(svg).toContain(shown);
});
