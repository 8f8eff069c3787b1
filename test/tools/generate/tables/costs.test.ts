import { expect, it } from 'vitest';
import { costsTable } from '../../../../tools/generate/tables/costs.ts';
import { benchmarks, readResult } from '../../../../tools/generate/tables/performance.ts';

const results = benchmarks.map(readResult);

it('names five figures, each with the command that measures it', () => {
  const [, , ...rows] = costsTable(results).split('\n');
  expect(rows).toHaveLength(5);
  for (const row of rows) expect(row).toMatch(/\| \d[^|]* \| `npm run bench:\w+` \|$/);
});

it('fails where a benchmark no longer has a figure', () => {
  const renamed = results.map((result) => ({
    ...result,
    tables: result.tables.map((table) => ({ ...table, columns: table.columns.map((name) => `new ${name}`) })),
  }));
  expect(() => costsTable(renamed)).toThrow('"Memory"');
  expect(() => costsTable([])).toThrow('cost');
});
