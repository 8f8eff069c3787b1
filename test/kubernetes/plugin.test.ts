import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { containerName } from '../../src/kubernetes/container.ts';
import { temporaryFolder } from '../support/file.ts';

const plugin = fileURLToPath(new URL('../../k8s/kubectl-mlbridge', import.meta.url));

/** Runs the plugin with a kubectl that prints its arguments, one a line. */
function argumentsOfKubectl(args: readonly string[]): readonly string[] {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'kubectl'), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
  return execFileSync(plugin, args, { env, encoding: 'utf8' }).trimEnd().split('\n');
}

describe('the kubectl plugin', () => {
  it('runs a command in the container of the bridge, with options for kubectl', () => {
    expect(argumentsOfKubectl(['watch', 'pod-1', '-n', 'my team'])).toEqual([
      ...['exec', '-i', 'pod-1', '-c', containerName, '-n', 'my team'],
      ...['--', '/nodejs/bin/node', '/app/main.cjs', 'watch'],
    ]);
  });

  it('passes what comes after -- on to the command', () => {
    expect(
      argumentsOfKubectl(['check', 'pod-1', '-n', 'my team', '--', '--output', 'json', '--', '/a b']),
    ).toEqual([
      ...['exec', '-i', 'pod-1', '-c', containerName, '-n', 'my team'],
      ...['--', '/nodejs/bin/node', '/app/main.cjs', 'check', '--output', 'json', '--', '/a b'],
    ]);
  });

  it('starts the program of the image', () => {
    const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
    expect(dockerfile).toMatch(/ENTRYPOINT \["\/nodejs\/bin\/node",.*"\/app\/main\.cjs"\]/);
  });

  it.each([[[]], [['watch']], [['watch', '--once', 'pod-1']]])('says how it is used: %j', (args) => {
    const { status, stderr } = spawnSync(plugin, args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringContaining('kubectl mlbridge watch|check POD')]);
  });
});
