// npm run soak:rewrite -- [--turns 1000] [--rows 160000]
// Reads a log while another process writes it anew, 8 MB each time. Prints a line of JSON; fails if a row is missing or was
// read twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { raceRewrites } from './rewrite-race.ts';

const { values } = parseArgs({
  options: { turns: { type: 'string', default: '1000' }, rows: { type: 'string', default: '160000' } },
});

const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-rewrite-'));
const result = await raceRewrites(join(folder, 'metrics.csv'), Number(values.turns), Number(values.rows));
rmSync(folder, { recursive: true });
console.log(JSON.stringify(result));
if (result.missing > 0 || result.twice > 0 || result.reads === 0) process.exitCode = 1;
