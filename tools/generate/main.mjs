// Rewrites what is generated from the tables in src/; with --check, only says where it differs, and fails.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstDifference, generatedFiles } from './generated.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const checking = process.argv.includes('--check');

function read(path) {
  try {
    return readFileSync(`${root}${path}`, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function report(path, problem) {
  console.error(`${path}${problem}`);
  process.exitCode = 1;
}

/** What the file should be; a document whose markers are broken is reported and left alone. */
function render({ path, render }, present) {
  try {
    return render(present);
  } catch (error) {
    report(path, `: ${error.message}`);
    return undefined;
  }
}

for (const file of generatedFiles) {
  const present = read(file.path);
  const expected = render(file, present);
  if (expected === undefined || expected === present) continue;
  if (checking) {
    const { line, ...texts } = firstDifference(present ?? '', expected);
    report(file.path, `:${line}: is not what \`npm run generate\` writes`);
    console.error(`  is:        ${texts.present}\n  should be: ${texts.expected}`);
    continue;
  }
  mkdirSync(dirname(`${root}${file.path}`), { recursive: true });
  writeFileSync(`${root}${file.path}`, expected);
  console.log(`${file.path} written`);
}
