import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

const examples = fileURLToPath(new URL('../../../examples/training', import.meta.url));
export const python = inject('frameworksPython');

/** Looks for the modules without importing them, which takes seconds. */
const finder = `
import sys
from importlib.util import find_spec
sys.exit(not all(map(find_spec, sys.argv[1:])))
`;

/** Whether the Python of these tests has all of the modules. */
export const has = (...modules: readonly string[]): boolean =>
  spawnSync(python, ['-c', finder, ...modules]).status === 0;

/** torch takes 5 GB: what needs it is tested with a Python that has it, in FRAMEWORKS_PYTHON. */
export const hasTorch = has('torch', 'lightning', 'transformers');

/** Leaves no files beside the scripts. */
export const trainingEnvironment = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };

/** How a script of examples/training is started: the program and its arguments. */
export function trainingCommand(
  script: string,
  file: string,
  ...args: readonly string[]
): readonly [string, ...string[]] {
  const torchrun = ['-m', 'torch.distributed.run', '--nproc-per-node', '2'];
  const launcher = script === 'train_torch.py' ? torchrun : [];
  return [python, ...launcher, join(examples, script), '--metrics-file', file, ...args];
}
