import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sinceStart } from '../../tools/draw/curves.ts';
import { queryRange } from '../../tools/draw/prometheus.ts';
import type { Panel } from '../../tools/generate/dashboard/panel.ts';
import { maxSteps, sinceStartRow } from '../../tools/generate/dashboard/since-start-panels.ts';
import { withVariables } from '../../tools/generate/queries.ts';
import { temporaryFolder } from '../support/file.ts';
import { commandLine } from '../support/terminal.ts';
import { startStorage } from './faults/backend.ts';

const hour = 3_600;
const records = 300;
/** Seconds from one record to the next. */
const interval = 10;
const losses = { sunday: 4, monday: 3, wednesday: 2 } as const;
type Job = keyof typeof losses;
/** `elapsed` is in seconds. */
const lossAt = (job: Job, elapsed: number) =>
  losses[job] / (Math.min(Math.floor(elapsed / interval), records - 1) + 1);

function writeRun(folder: string, job: Job, start: number): void {
  mkdirSync(join(folder, job));
  const lines = Array.from({ length: records }, (_, index) => {
    const elapsed = index * interval;
    return `${JSON.stringify({ timestamp: start + elapsed, step: index + 1, loss: lossAt(job, elapsed) })}\n`;
  });
  writeFileSync(join(folder, job, 'train.jsonl'), lines.join(''));
}

/** Of the dashboard's time range, in seconds. */
const range = 72 * hour;
/** How long the first run has been training where the range begins. */
const before = 1_500;

/** Runs of different days, imported into a real Prometheus. Gives its URL. */
async function importRuns(now: number): Promise<string> {
  const folder = temporaryFolder();
  writeRun(folder, 'sunday', now - range - before);
  // Not on a whole step of a query.
  writeRun(folder, 'monday', now - 50 * hour + 7);
  writeRun(folder, 'wednesday', now - 2 * hour);
  const [text, data] = [join(temporaryFolder(), 'runs.om'), temporaryFolder()];
  const { code, errors } = await commandLine(['replay', folder, '--output', text]);
  expect(code, errors).toBe(0);
  const promtool = process.env.PROMTOOL || 'promtool';
  execFileSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', text, data], { stdio: 'pipe' });
  return startStorage({ window: '0s', data });
}

it('lays runs of different days over each other by the time since their first step in the range', async () => {
  const now = Math.floor(Date.now() / 1_000);
  const prometheus = await importRuns(now);
  // Whole seconds, so that no rounding moves a time to the next record.
  const step = 54;
  const steps = range / step;
  expect(steps).toBeLessThanOrEqual(maxSteps);
  const [panel] = sinceStartRow.panels as readonly [Panel];
  const variables = { range: `${range}s`, step: `${step}s` };
  const [elapsed = [], values = []] = await Promise.all(
    panel.queries.map(({ expr }) =>
      queryRange(prometheus, withVariables(expr, variables), { from: now - range, to: now }, steps),
    ),
  );
  const { curves } = sinceStart(panel, elapsed, values);
  expect(curves.map(({ name }) => name.trim()).sort()).toEqual(Object.keys(losses).sort());
  for (const { name, points } of curves) {
    const job = name.trim() as Job;
    // A range does not have the moment at which it begins.
    const earlier = job === 'sunday' ? before + interval : 0;
    const seconds = (records - 1) * interval - earlier;
    expect(points.length).toBeGreaterThan(seconds / step - 1);
    expect(points[0]?.[0]).toBeLessThan(step);
    expect(points.at(-1)?.[0]).toBeGreaterThan(seconds - step);
    expect(points.at(-1)?.[0]).toBeLessThan(seconds + step);
    for (const [x, loss] of points) expect([name, x, loss]).toEqual([name, x, lossAt(job, x + earlier)]);
  }
});
