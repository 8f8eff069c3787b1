// Rewrites generated text from the tables in src/. With --check, only reports the differences, and fails if there are any.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstDifference, generatedFiles } from './files.ts';
import type { GeneratedFile } from './generated-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const checking = process.argv.includes('--check');

function read(path: string): string | undefined {
  try {
    return readFileSync(`${root}${path}`, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function report(path: string, problem: string): void {
  console.error(`${path}${problem}`);
  process.exitCode = 1;
}

/** The new content of the file. A document with invalid markers is reported and not changed. */
function render({ path, render }: GeneratedFile, current: string | undefined): string | undefined {
  try {
    return render(current);
  } catch (error) {
    report(path, `: ${(error as Error).message}`);
    return undefined;
  }
}

for (const file of generatedFiles) {
  const current = read(file.path);
  const expected = render(file, current);
  if (expected === undefined || expected === current) continue;
  if (checking) {
    const difference = firstDifference(current ?? '', expected);
    report(file.path, `:${difference?.line}: is not what \`npm run generate\` writes`);
    console.error(`  is:        ${difference?.current}\n  should be: ${difference?.expected}`);
    continue;
  }
  mkdirSync(dirname(`${root}${file.path}`), { recursive: true });
  writeFileSync(`${root}${file.path}`, expected);
  console.log(`${file.path} written`);
}
