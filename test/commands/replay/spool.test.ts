import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createSpool, type Spool } from '../../../src/commands/replay/open-metrics/spool.ts';
import { temporaryFolder } from '../../support/file.ts';

const text = (index: number) => ({
  family: { name: `family_${index % 3}`, type: 'gauge', help: '' } as const,
  lines: Array.from({ length: 1 + (index % 4) }, (_, line) => `series_${index}_${line}`),
});

async function allText(spool: Spool): Promise<string> {
  let all = '';
  for await (const piece of spool.text()) all += piece;
  return all;
}

async function written(points: readonly (readonly [series: number, value: number])[], maxHeld: number) {
  const spool = await createSpool(maxHeld);
  try {
    for (const [index, [series, value]] of points.entries()) {
      const series_ = text(series);
      spool.add({
        key: String(series),
        timeMs: index,
        values: series_.lines.map(() => value),
        describeSeries: () => series_,
      });
      await spool.relieve();
    }
    return await allText(spool);
  } finally {
    await spool.close();
  }
}

it('gives the same text however little it keeps in memory: all points, by series, in their order', async () => {
  const points = fc.array(fc.tuple(fc.nat(8), fc.double()), { maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(points, fc.integer({ min: 1, max: 50 }), async (all, maxHeld) => {
      const inMemory = await written(all, Number.POSITIVE_INFINITY);
      expect(await written(all, maxHeld)).toBe(inMemory);
      const lines = inMemory.split('\n').filter((line) => line.startsWith('series_'));
      expect(lines).toHaveLength(all.reduce((sum, [series]) => sum + text(series).lines.length, 0));
      const seriesOf = (line: string) => line.slice(0, line.lastIndexOf('_'));
      const groups = lines.map(seriesOf).filter((series, index, list) => series !== list[index - 1]);
      expect(new Set(groups).size).toBe(groups.length);
    }),
    { numRuns: 50 },
  );
});

it('has no file with a name, which a process that is killed would leave behind', async () => {
  const folder = temporaryFolder();
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const spool = await createSpool(1);
  onTestFinished(spool.close);
  spool.add({ key: 'a', timeMs: 1, values: [2], describeSeries: () => text(0) });
  await spool.relieve();
  expect(readdirSync(folder)).toEqual([]);
  expect(await allText(spool)).toContain('series_0_0 2 0.001\n');
});
