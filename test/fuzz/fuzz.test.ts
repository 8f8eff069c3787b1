import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleText, temporaryFolder } from '../support/file.ts';
import { type Fixture, fixtureFolder } from './fixture.ts';
import { runLogSession } from './log-session.ts';
import { filesOf, filesPerSession, runSession } from './session.ts';

const seed = 20_251_023;

it(`exports nothing that is not in the file, of 800 mutated ones (seed ${seed})`, {
  // Each is written to the disk and read from it, which others may keep busy.
  timeout: 180_000,
}, async () => {
  const path = join(temporaryFolder(), 'current.json');
  let snapshots = 0;
  for (let session = 0; session < 800 / filesPerSession; session++) {
    const count = await runSession(filesOf(seed, session), path).catch((error) => {
      throw new Error(`session ${session}`, { cause: error });
    });
    snapshots += count.snapshots;
  }
  // Of no use were files that are all refused.
  expect(snapshots).toBeGreaterThan(400);
});

it(`gives no number that is not in the log, of 900 mutated logs (seed ${seed})`, async () => {
  let records = 0;
  for (let session = 0; session < 900; session++)
    records += await runLogSession(seed, session).catch((error) => {
      throw new Error(`session ${session}`, { cause: error });
    });
  expect(records).toBeGreaterThan(900);
});

it.each(readdirSync(fixtureFolder))('exports nothing that is not in the files of %s', async (name) => {
  const fixtures = JSON.parse(readFileSync(new URL(name, fixtureFolder), 'utf8')) as readonly Fixture[];
  const path = join(temporaryFolder(), 'current.json');
  for (const { files } of fixtures) {
    const bytes = files.map((file) => Buffer.from(file, 'base64'));
    await expect(runSession(bytes, path)).resolves.toMatchObject({ files: files.length });
  }
});

it('takes every value of a file that is as it should be', async () => {
  const path = join(temporaryFolder(), 'current.json');
  // Five gauges, two counters, two histograms, six states, the last step and two losses that were finite.
  await expect(runSession([Buffer.from(exampleText())], path)).resolves.toEqual({
    files: 1,
    snapshots: 1,
    runs: 1,
    points: 18,
  });
});
