import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../../tools/build/bundle.ts';

/**
 * What the sidecar loads is what every training pod pays for. Where a bound is passed on purpose, raise it, and write
 * down in docs/performance.md what the memory was before and after.
 */
describe('the bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-test-'));
  let files: Awaited<ReturnType<typeof bundle>>;

  beforeAll(async () => {
    files = await bundle(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps what the sidecar loads below 730,000 bytes', () => {
    const loaded = loadedBySidecar(files.sidecar.outputs);
    const sizes = loaded.map((path) => statSync(join(folder, basename(path))).size);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(730_000);
  });

  it('keeps all of it below 3,200,000 bytes', () => {
    const sizes = readdirSync(folder).map((file) => statSync(join(folder, file)).size);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(3_200_000);
  });

  it('has these packages in what the sidecar loads, and no more', () => {
    expect(packagesOfSidecar(files.sidecar.outputs)).toEqual([
      '@grpc/grpc-js',
      '@opentelemetry/api',
      '@opentelemetry/core',
      '@opentelemetry/exporter-metrics-otlp-grpc',
      '@opentelemetry/exporter-metrics-otlp-http',
      '@opentelemetry/otlp-exporter-base',
      '@opentelemetry/otlp-grpc-exporter-base',
      '@opentelemetry/otlp-transformer',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-metrics',
      '@opentelemetry/semantic-conventions',
      '@pinojs/redact',
      'atomic-sleep',
      'on-exit-leak-free',
      'pino',
      'pino-std-serializers',
      'quick-format-unescaped',
      'safe-stable-stringify',
      'sonic-boom',
      'uuid',
      'zod',
    ]);
  });

  it('has none of gRPC that only a server or several connections at a time need', () => {
    const inputs = Object.values(files.sidecar.outputs).flatMap((output) => Object.entries(output.inputs));
    const unused =
      /grpc-js\/build\/src\/(server|orca|experimental|load-balancer-(weighted-)?round-robin|load-balancer-outlier)/;
    const sizes = inputs.filter(([path]) => unused.test(path)).map(([, { bytesInOutput }]) => bytesInOutput);
    expect(sizes).toHaveLength(8);
    // What is left of each is an empty module.
    expect(Math.max(...sizes)).toBeLessThan(500);
  });

  it('loads spans and their exporter only where runs are traced', () => {
    expect(packagesOfSidecar(files.sidecar.outputs)).not.toContain('@opentelemetry/exporter-trace-otlp-grpc');
    const all = Object.values(files.sidecar.outputs).flatMap(({ inputs }) => Object.keys(inputs));
    expect(all.some((path) => path.includes('exporter-trace-otlp-grpc'))).toBe(true);
  });

  it.each([
    ['heartbeats', 'src/bridge/notifiers/heartbeat/sender.ts'],
    ['the termination message', 'src/bridge/notifiers/termination-message/message.ts'],
    ['the files of other ranks', 'src/snapshot/rank-files.ts'],
  ])('loads %s only where it is used', (_what, source) => {
    const isSource = (path: string) => path.startsWith(source);
    expect(modulesOfSidecar(files.sidecar.outputs).filter(isSource)).toEqual([]);
    const all = Object.values(files.sidecar.outputs).flatMap(({ inputs }) => Object.keys(inputs));
    expect(all.some(isSource)).toBe(true);
  });
});

type Outputs = Awaited<ReturnType<typeof bundle>>['sidecar']['outputs'];

const sidecarSources = ['src/main.ts', 'src/commands/run.ts'];

/** The entry, the command `run`, and the files these load at once. */
function loadedBySidecar(outputs: Outputs): readonly string[] {
  const loaded = new Set(
    Object.keys(outputs).filter((path) => sidecarSources.includes(outputs[path]?.entryPoint ?? '')),
  );
  expect(loaded.size).toBe(sidecarSources.length);
  for (const path of loaded) {
    for (const { kind, path: next } of outputs[path]?.imports ?? [])
      if (kind !== 'dynamic-import' && next in outputs) loaded.add(next);
  }
  return [...loaded];
}

const modulesOfSidecar = (outputs: Outputs): readonly string[] =>
  loadedBySidecar(outputs).flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));

function packagesOfSidecar(outputs: Outputs): readonly string[] {
  const modules = modulesOfSidecar(outputs);
  return [
    ...new Set(modules.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])),
  ].sort();
}
