import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from './project.ts';

/** TypeScript as JavaScript without decorators, which Node does not read. Types are not checked. */
export function compiled(source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-compiled-'));
  try {
    const file = join(folder, 'program.ts');
    writeFileSync(file, source);
    const options = [
      '--ignoreConfig',
      '--noCheck',
      '--target',
      'es2022',
      '--module',
      'esnext',
      '--outDir',
      folder,
    ];
    execFileSync(join(repository, 'node_modules', '.bin', 'tsc'), [...options, file]);
    return readFileSync(join(folder, 'program.js'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
