import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundle } from '../../tools/build/bundle.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The bundle's main file, in a folder with no node_modules above it. */
    bundle: string;
  }
}

/** Builds the bundle once for all tests, away from the repository, as a user has it. */
export async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-bundle-'));
  await bundle(join(folder, 'dist'));
  project.provide('bundle', join(folder, 'dist', 'main.cjs'));
  return () => rmSync(folder, { recursive: true, force: true });
}
