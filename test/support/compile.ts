import { execFile } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Replaces a text that occurs once in a file of src/. */
export interface Edit {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly by: string;
}

/**
 * Compiles a copy of src/ with edits, by the TypeScript compiler of the repository and with its settings.
 *
 * @param entry the file whose imports are compiled, relative to the root of the repository
 * @returns the errors, one a line: `src/….ts(line,column): error TS…: message`
 */
export async function compileErrors(entry: string, edits: readonly Edit[]): Promise<readonly string[]> {
  const folder = temporaryFolder();
  cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true });
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(folder, file));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const edit of edits) apply(folder, edit);
  const project = join(folder, 'tsconfig.edited.json');
  writeFileSync(project, JSON.stringify({ extends: './tsconfig.json', include: [], files: [entry] }));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const output = await new Promise<string>((resolve) => {
    const args = [compiler, '--project', project, '--pretty', 'false'];
    execFile(process.execPath, args, { cwd: folder }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
  return output.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
}

function apply(folder: string, { path, text, by }: Edit): void {
  const [before, after, ...more] = readFileSync(join(folder, path), 'utf8').split(text);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`expected exactly one ${JSON.stringify(text)} in ${path}`);
  writeFileSync(join(folder, path), `${before}${by}${after}`);
}
