import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { pack } from '../../../tools/build/pack.ts';
import { exampleText, replaceFile, temporaryFolder } from '../../support/file.ts';

it('installs into an empty project with nothing the bundle does not need, and runs', {
  timeout: 120_000,
}, async () => {
  const project = temporaryFolder();
  const archive = await pack(join(project, 'archive'));
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "version": "1.0.0" }');
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', archive], {
    cwd: project,
    stdio: 'pipe',
  });

  const modules = join(project, 'node_modules');
  expect(readdirSync(modules).filter((name) => !name.startsWith('.'))).toEqual(['ml-metrics-bridge']);
  const installed = join(modules, 'ml-metrics-bridge');
  expect(readdirSync(installed).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist',
    'package.json',
  ]);
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const member of ['dependencies', 'devDependencies', 'optionalDependencies', 'scripts', 'private']) {
    expect(manifest).not.toHaveProperty(member);
  }
  // Without it, npm refuses a package with provenance.
  expect(manifest.repository.url).toBe('git+https://github.com/ml-metrics-bridge/ml-metrics-bridge.git');
  // The tracing library's peers, which only its users need.
  for (const name of Object.keys(manifest.peerDependencies)) {
    expect(manifest.peerDependenciesMeta[name]).toEqual({ optional: true });
    // The newest exporter requires an older patch of the SDK than the bridge uses.
    expect(manifest.peerDependencies[name]).toMatch(/^\^\d+\.\d+\.0$/);
  }
  const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' });
  const isBundle = (file: string) =>
    /^[\w-]+\.cjs$|^THIRD_PARTY_NOTICES\.txt$|^sbom\.cdx\.json$|^watch-page\.html\.gz$|^tracing$|^tracing\/[\w-]+\.(d\.)?([cm]js|[cm]ts)$/.test(
      file,
    );
  expect(files.filter((file) => !isBundle(file))).toEqual([]);
  expect(statSync(join(installed, 'dist', 'main.cjs')).size).toBeLessThan(3_000_000);

  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const file = join(project, 'current.json');
  replaceFile(file, exampleText());
  const bridge = spawn(join(modules, '.bin', 'ml-metrics-bridge'), {
    cwd: project,
    env: {
      PATH: process.env.PATH,
      METRICS_FILE_PATH: file,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      HEALTH_PORT: '0',
    },
    stdio: 'ignore',
  });
  onTestFinished(() => void bridge.kill('SIGKILL'));
  await receiver.waitFor(
    () => receiver.points('ml.training.loss').at(-1)?.value === 1.2345,
    'the loss',
    20_000,
  );
  bridge.kill('SIGTERM');
  expect(await once(bridge, 'exit')).toEqual([0, null]);
});
