import { expect, it } from 'vitest';
import {
  type BenchmarkResult,
  measuredText,
  performanceSections,
  targetsTable,
} from '../../../../tools/generate/tables/performance.ts';

const result: BenchmarkResult = {
  name: 'example',
  command: 'npm run bench:example',
  measuredOn: '2026-11-21',
  machine: { cpu: 'a CPU', cores: 2, memoryGb: 24, kernel: '6.18', node: '24.21.0', load: 0.3 },
  settings: { rounds: 3 },
  tables: [
    {
      title: 'Time',
      columns: ['Program', 'Time', 'Memory'],
      rows: [
        {
          label: 'ours',
          cells: [{ unit: 'ms', median: 66.87, low: 63.3, high: 120, count: 3 }, null],
        },
      ],
    },
  ],
  targets: [
    { what: 'Kept', unit: '×', atMost: 2, measured: 1.424 },
    { what: 'Not kept', unit: 'B', atMost: 1_200, measured: 1_830 },
  ],
};

it.each([
  [{ unit: 'ms', median: 66.87, low: 63.3, high: 120, count: 3 }, '66.9 ms (63.3–120)'],
  [{ unit: '', median: 74, low: 74, high: 74, count: 3 }, '74'],
  // A spread that rounding takes away is none.
  [{ unit: 'B', median: 5624, low: 5623.9, high: 5624.1, count: 3 }, '5,624 B'],
  [null, '–'],
])('writes %j as %s', (measured, text) => {
  expect(measuredText(measured)).toBe(text);
});

it('says what was measured, how, where, and what was missed', () => {
  expect(performanceSections([result])['performance-example']).toBe(
    [
      '`npm run bench:example`, 3 rounds, 2026-11-21; 2 cores of a CPU, 24 GB, Linux 6.18, Node 24.21.0, load average 0.3 before.',
      'Time:',
      '| Program | Time | Memory |\n| --- | --- | --- |\n| ours | 66.9 ms (63.3–120) | – |',
      '| Target | Measured | Aim, at most |\n| --- | --- | --- |\n| Kept | 1.42 × | 2 × |\n| Not kept | 1,830 B (missed) | 1,200 B |',
    ].join('\n\n'),
  );
});

it('puts the command beside each target', () => {
  expect(targetsTable([result])).toContain('| Kept | 1.42 × | 2 × | `npm run bench:example` |');
});
