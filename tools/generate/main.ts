// Rewrites what is generated from the tables in src/; with --check, only says where it differs, and fails.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstDifference, type GeneratedFile, generatedFiles } from './files.ts';

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

/** What the file should be; a document whose markers are broken is reported and left alone. */
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
