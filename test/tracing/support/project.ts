import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pack } from '../../../tools/build/pack.ts';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));
const opentelemetry = join(repository, 'node_modules', '@opentelemetry');

export interface Project {
  readonly folder: string;
  remove(): void;
}

function emptyProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-project-'));
  writeFileSync(join(folder, 'package.json'), '{ "name": "empty", "version": "1.0.0" }');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * A project with nothing but OpenTelemetry's API into which the package was installed by npm, without a network: the API
 * comes from this repository.
 */
export async function installedProject(): Promise<Project> {
  const project = emptyProject();
  const archive = await pack(join(project.folder, 'archive'));
  execFileSync(
    'npm',
    [
      'install',
      '--offline',
      '--install-links',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      archive,
      join(opentelemetry, 'api'),
    ],
    { cwd: project.folder, stdio: 'pipe' },
  );
  return project;
}

/** The same package in a project that has the SDK too, and the types of Node. */
export function projectWithSdk({ folder: installed }: Project): Project {
  const project = emptyProject();
  const modules = join(project.folder, 'node_modules');
  mkdirSync(modules);
  cpSync(join(installed, 'node_modules', 'ml-metrics-bridge'), join(modules, 'ml-metrics-bridge'), {
    recursive: true,
  });
  symlinkSync(opentelemetry, join(modules, '@opentelemetry'));
  symlinkSync(join(repository, 'node_modules', '@types'), join(modules, '@types'));
  return project;
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the project, with no environment but the one given. */
export function run(
  { folder }: Project,
  file: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      output[stream] += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
  });
}

/** Checks files of the project as a strict program would; what the compiler says, or nothing. */
export function typecheck(
  { folder }: Project,
  files: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): string {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2022'],
    types: [],
    noEmit: true,
    ...more,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  try {
    execFileSync(join(repository, 'node_modules', '.bin', 'tsc'), ['-p', folder], { stdio: 'pipe' });
    return '';
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout);
  }
}
