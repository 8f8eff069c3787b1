import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A Python that has the libraries. */
    readonly frameworksPython: string;
    /** Whether it has torch, Lightning and transformers as well. */
    readonly frameworksHaveTorch: boolean;
  }
}

const verl = 'verl==0.9.1';

/** Installs the libraries, about 1 GB, or uses those of the Python in FRAMEWORKS_PYTHON. */
export function setup({ provide }: TestProject): (() => void) | undefined {
  const installed = process.env.FRAMEWORKS_PYTHON;
  if (installed !== undefined) {
    provide('frameworksPython', installed);
    const torch = spawnSync(installed, ['-c', 'import torch, lightning, transformers'], { stdio: 'ignore' });
    provide('frameworksHaveTorch', torch.status === 0);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-frameworks-'));
  const python = join(folder, 'bin/python');
  const run = (program: string, ...args: readonly string[]) =>
    void execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  run('python3', '-m', 'venv', folder);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  run(python, ...pip, '--requirement', fileURLToPath(new URL('requirements.txt', import.meta.url)));
  run(python, ...pip, '--no-deps', verl);
  if (!existsSync(python)) throw new Error(`${python} is missing`);
  provide('frameworksPython', python);
  provide('frameworksHaveTorch', false);
  return () => rmSync(folder, { recursive: true, force: true });
}
