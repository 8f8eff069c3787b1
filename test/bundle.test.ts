import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../scripts/build.mjs';

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

  it.each([
    ['main.cjs', 870_000],
    ['help.cjs', 40_000],
    ['completion.cjs', 40_000],
    ['simulate.cjs', 25_000],
    ['inject.cjs', 400_000],
    ['check.cjs', 1_900_000],
    ['demo.cjs', 2_000_000],
    ['submit.cjs', 2_100_000],
  ])('keeps %s below %i bytes', (file, bytes) => {
    expect(statSync(join(folder, file)).size).toBeLessThan(bytes);
  });

  it('has these packages in what the sidecar loads, and no more', () => {
    expect(packagesIn(files.sidecar.outputs, 'main.cjs')).toEqual([
      '@grpc/grpc-js',
      '@js-sdsl/ordered-map',
      '@opentelemetry/api',
      '@opentelemetry/core',
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
      'thread-stream',
      'uuid',
      'zod',
    ]);
  });

  it('has none of gRPC that only a server needs', () => {
    const modules = Object.values(files.sidecar.outputs).flatMap(({ inputs }) => Object.keys(inputs));
    const ofServers = modules.filter((path) => /grpc-js\/build\/src\/(server|index|orca)/.test(path));
    expect(ofServers).toEqual([]);
  });
});

type Outputs = Awaited<ReturnType<typeof bundle>>['sidecar']['outputs'];

/** The packages in a file and in those it loads at once. */
function packagesIn(outputs: Outputs, file: string): readonly string[] {
  const loaded = new Set(Object.keys(outputs).filter((path) => basename(path) === file));
  for (const path of loaded) {
    for (const { kind, path: next } of outputs[path]?.imports ?? [])
      if (kind !== 'dynamic-import' && next in outputs) loaded.add(next);
  }
  const modules = [...loaded].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
  return [
    ...new Set(modules.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])),
  ].sort();
}
