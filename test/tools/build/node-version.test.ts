import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** Runs the check on a Node that says it is of another version. */
function check(version: string) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } })`;
  const preload = `data:text/javascript,${encodeURIComponent(pretend)}`;
  return spawnSync(process.execPath, ['--import', preload, 'tools/build/node-version.cjs'], {
    encoding: 'utf8',
  });
}

it.each(['18.20.8', '20.20.2', '22.17.9'])('refuses Node %s in one line', (version) => {
  const { status, stderr } = check(version);
  expect(status).toBe(1);
  expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(`Node ${version} is too old`)]);
});

it.each(['22.18.0', '24.0.0', '26.1.0'])('accepts Node %s', (version) => {
  expect(check(version)).toMatchObject({ status: 0, stderr: '' });
});
