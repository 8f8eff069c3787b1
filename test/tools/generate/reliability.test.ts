import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const page = new URL('../../../docs/reliability.md', import.meta.url);

it('every promise under fault names a test that is there', () => {
  const rows = readFileSync(page, 'utf8')
    .replace(/<!-- BEGIN GENERATED answers -->[\s\S]*<!-- END GENERATED answers -->/, '')
    .split('\n')
    .filter((line) => /^\| (?!Fault|---)/.test(line));
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    const link = /\]\(([^)]+)\) \|$/.exec(row)?.[1] ?? '';
    expect(link, row).toMatch(/\.test\.ts$/);
    expect(existsSync(new URL(link, page)), row).toBe(true);
  }
});
