import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { readSources } from '../../../tools/check/exported-names.ts';
import { temporaryFolder } from '../../support/file.ts';

/** Which folders of src/ a folder imports from; biome.imports.json says the same to the linter. */
const imported: Readonly<Record<string, readonly string[]>> = {
  common: [],
  tracing: ['common'],
  catalogue: ['common'],
  otlp: ['common'],
  config: ['common', 'tracing', 'catalogue', 'otlp'],
  snapshot: ['common', 'catalogue', 'otlp', 'config'],
  run: ['common', 'catalogue', 'otlp', 'config', 'snapshot'],
  telemetry: ['common', 'tracing', 'catalogue', 'otlp', 'config', 'snapshot', 'run'],
  bridge: ['common', 'catalogue', 'otlp', 'config', 'snapshot', 'run', 'telemetry'],
  kubernetes: ['common', 'catalogue', 'config'],
  cli: ['common', 'catalogue', 'config'],
  commands: [
    'common',
    'tracing',
    'catalogue',
    'otlp',
    'config',
    'snapshot',
    'run',
    'telemetry',
    'bridge',
    'kubernetes',
    'cli',
  ],
};
const folders = Object.keys(imported);

it('every folder of src/ has its rule', () => {
  const present = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(present.map(({ name }) => name).sort()).toEqual([...folders].sort());
});

it.each(folders)('src/%s imports the folders it may, and no others', (folder) => {
  expectOnlyAllowed(folder, `src/${folder}/example.ts`, imported[folder] ?? []);
});

it.each([
  ['catalogue', 'spans.ts'],
  ['kubernetes', 'trace-manifest.ts'],
])('in src/%s only %s imports tracing too', (folder, file) => {
  expectOnlyAllowed(folder, `src/${folder}/${file}`, [...(imported[folder] ?? []), 'tracing']);
});

function expectOnlyAllowed(folder: string, file: string, allowed: readonly string[]): void {
  const others = folders.filter((other) => other !== folder);
  const refused = others.filter((other) => !allowed.includes(other)).map((other) => `../${other}/file.ts`);
  const outside = ['../main.ts', '../../test/support/file.ts', '../../tools/check/file.ts'];
  const paths = [...others.map((other) => `../${other}/file.ts`), ...outside];
  const source = paths.map((path, index) => `export { name${index} } from '${path}';`).join('\n');
  const problems = lint({ [file]: source });
  expect(problems.map(({ location }) => paths[location.start.line - 1])).toEqual([...refused, ...outside]);
  expect(new Set(problems.map(({ category }) => category))).toEqual(
    new Set(['lint/style/noRestrictedImports']),
  );
}

it.each([
  ['a value', `import { name } from '../config/file.ts';\nexport const other = name;`],
  ['a type', `import type { Name } from '../config/file.ts';\nexport type Other = Name;`],
  ['what is loaded on demand', `export const load = () => import('../config/file.ts');`],
  ['all of a file', `export * from '../config/file.ts';`],
  ['a file from a folder below', `export * from '../config/file.ts';`, 'src/otlp/queue/example.ts'],
])('refuses %s', (_what, source, path = 'src/otlp/example.ts') => {
  expect(lint({ [path]: source })).toHaveLength(1);
});

it('refuses a cycle between files, of types too', () => {
  const problems = lint({
    'src/run/a.ts': `import type { B } from './b.ts';\nexport type A = B | 1;`,
    'src/run/b.ts': `import type { A } from './a.ts';\nexport type B = A | 2;`,
  });
  expect(problems.map(({ category }) => category)).toEqual(Array(2).fill('lint/suspicious/noImportCycles'));
});

it('src/ names no file inside of a type, where the linter does not see it', () => {
  for (const [path, text] of Object.entries(readSources()))
    expect(text, path).not.toMatch(/\btypeof import\(|[:=|<] import\(/);
});

interface Problem {
  readonly category: string;
  readonly location: { readonly start: { readonly line: number } };
}

/** What the linter, with the repository's own settings, finds in files of a folder apart. */
function lint(files: Readonly<Record<string, string>>): readonly Problem[] {
  const folder = temporaryFolder();
  // There is no repository in the folder, and the settings belong to one.
  const { vcs: _, ...settings } = JSON.parse(readFileSync('biome.json', 'utf8'));
  const configuration = {
    'biome.json': JSON.stringify(settings),
    'biome.imports.json': readFileSync('biome.imports.json', 'utf8'),
  };
  for (const [path, text] of Object.entries({ ...files, ...configuration })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const biome = join(process.cwd(), 'node_modules/.bin/biome');
  const options = ['lint', '--reporter=json', '--max-diagnostics=none', 'src'];
  const { stdout } = spawnSync(biome, options, { cwd: folder, encoding: 'utf8' });
  return JSON.parse(stdout).diagnostics;
}
