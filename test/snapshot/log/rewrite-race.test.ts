import { join } from 'node:path';
import { expect, it } from 'vitest';
import { raceRewrites } from '../../soak/rewrite-race.ts';
import { temporaryFolder } from '../../support/file.ts';

it('a log that another process writes anew while it is read: no row is missing or comes twice', {
  timeout: 120_000,
}, async () => {
  const { reads, ...result } = await raceRewrites(join(temporaryFolder(), 'metrics.csv'), 50, 4_000);
  expect(result).toEqual({ rows: 4_049, missing: 0, twice: 0 });
  // Most of these saw the file empty, or in part.
  expect(reads).toBeGreaterThan(10);
});
