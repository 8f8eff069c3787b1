import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allQueries } from '../../src/render/queries.ts';

const promtool = process.env.PROMTOOL || 'promtool';
const isThere = spawnSync(promtool, ['--version']).error === undefined;

/** Where Prometheus' own tool is at hand: in PROMTOOL, or on the PATH. */
describe.skipIf(!isThere)('promtool', () => {
  it('accepts the rules', () => {
    const output = execFileSync(promtool, [
      'check',
      'rules',
      '--lint=all',
      '--lint-fatal',
      ...files('rules'),
    ]);
    expect(output.toString()).toContain('SUCCESS');
  });

  it('sees each alert fire when it should, and not when it should not', () => {
    const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', ...files('tests')], {
      encoding: 'utf8',
    });
    expect(status, stdout + stderr).toBe(0);
  });

  it('understands every query', () => {
    for (const { where, expr } of allQueries()) {
      const { status, stderr } = spawnSync(promtool, ['promql', 'format', '--experimental', expr], {
        encoding: 'utf8',
      });
      expect(status, `${where}: ${stderr}`).toBe(0);
    }
  }, 60_000);
});

const files = (folder: string) =>
  readdirSync(`prometheus/${folder}`).map((name) => `prometheus/${folder}/${name}`);
