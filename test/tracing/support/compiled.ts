import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/file.ts';
import { repository } from './project.ts';

/** TypeScript as JavaScript without decorators, which Node does not read. Types are not checked. */
export function compiled(source: string): string {
  const folder = temporaryFolder();
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
}
