import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutputChunk } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maxSidecarBytes } from '../../../bench/support/sizes.ts';
import { bundle } from '../../../tools/build/bundle.ts';

/**
 * What the sidecar loads is what every training pod pays for. Where a bound is passed on purpose, raise it, and write
 * down in docs/performance.md what the memory was before and after.
 */
describe('the bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-test-'));
  let chunks: readonly OutputChunk[];

  beforeAll(async () => {
    chunks = await bundle(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps what the sidecar loads below its limit', () => {
    const sizes = loadedBySidecar(chunks).map(({ code }) => Buffer.byteLength(code));
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(maxSidecarBytes);
  });

  it('is ASCII, because V8 would keep two bytes for each character of a file with any other', () => {
    for (const { code } of chunks) expect(/\P{ASCII}/u.exec(code)?.[0]).toBeUndefined();
  });

  it('loads no modules of Node for threads, which only pino has a use for', () => {
    const loading = loadedBySidecar(chunks).filter(({ code }) => code.includes('worker_threads'));
    expect(loading.map(({ fileName }) => fileName)).toEqual([]);
  });

  it('keeps all of it below 3,400,000 bytes', () => {
    const sizes = readdirSync(folder).map((file) => statSync(join(folder, file)).size);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(3_400_000);
  });

  it('has these packages in what the sidecar loads, and no more', () => {
    expect(packagesOfSidecar(chunks)).toEqual([
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
    const unused =
      /grpc-js\/build\/src\/(server|orca|experimental|load-balancer-(weighted-)?round-robin|load-balancer-outlier)/;
    const modules = chunks.flatMap(({ modules }) => Object.entries(modules));
    const sizes = modules
      .filter(([path]) => unused.test(path))
      .map(([, { renderedLength }]) => renderedLength);
    expect(sizes).toHaveLength(8);
    // What is left of each is an empty module.
    expect(Math.max(...sizes)).toBeLessThan(500);
  });

  it('loads spans and their exporter only where runs are traced', () => {
    expect(packagesOfSidecar(chunks)).not.toContain('@opentelemetry/exporter-trace-otlp-grpc');
    expect(modulesOf(chunks).some((path) => path.includes('exporter-trace-otlp-grpc'))).toBe(true);
  });

  it.each([
    ['heartbeats', 'src/bridge/notifiers/heartbeat/sender.ts'],
    ['the termination message', 'src/bridge/notifiers/termination-message/message.ts'],
    ['the files of other ranks', 'src/snapshot/rank-files.ts'],
  ])('loads %s only where it is used', (_what, source) => {
    const isSource = (path: string) => path.endsWith(source);
    expect(modulesOf(loadedBySidecar(chunks)).filter(isSource)).toEqual([]);
    expect(modulesOf(chunks).some(isSource)).toBe(true);
  });
});

const modulesOf = (chunks: readonly OutputChunk[]) => chunks.flatMap(({ moduleIds }) => moduleIds);

/** The entry, the command `run`, and the files these load at once. */
function loadedBySidecar(chunks: readonly OutputChunk[]): readonly OutputChunk[] {
  const isStart = ({ facadeModuleId }: OutputChunk) =>
    /src\/(main|commands\/run)\.ts$/.test(facadeModuleId ?? '');
  const loaded = new Set(chunks.filter(isStart));
  expect(loaded.size).toBe(2);
  for (const { imports } of loaded)
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) loaded.add(chunk);
  return [...loaded];
}

function packagesOfSidecar(chunks: readonly OutputChunk[]): readonly string[] {
  const modules = modulesOf(loadedBySidecar(chunks));
  return [
    ...new Set(modules.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])),
  ].sort();
}
