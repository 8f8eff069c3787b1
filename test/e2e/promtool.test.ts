import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { allQueries } from '../../tools/generate/queries.ts';

/** Runs Prometheus' own tool: PROMTOOL, or the one on the PATH. */
function promtool(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const program = process.env.PROMTOOL || 'promtool';
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (error)
    throw new Error(`${program} cannot be run (${error.message}): put it on the PATH, or set PROMTOOL`);
  return { status, output: stdout + stderr };
}
const files = (folder: string) =>
  readdirSync(`prometheus/${folder}`).map((name) => `prometheus/${folder}/${name}`);

it('Prometheus accepts the alert rules', () => {
  const { status, output } = promtool('check', 'rules', '--lint=all', '--lint-fatal', ...files('rules'));
  expect(status, output).toBe(0);
  expect(output).toContain('SUCCESS');
});

it('each alert fires when it should, and not when it should not', () => {
  const { status, output } = promtool('test', 'rules', ...files('tests'));
  expect(status, output).toBe(0);
});

it('Prometheus understands every query of every panel and alert', () => {
  for (const { where, expr } of allQueries()) {
    const { status, output } = promtool('promql', 'format', '--experimental', expr);
    expect(status, `${where}: ${output}`).toBe(0);
  }
});
