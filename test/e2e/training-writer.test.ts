import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBridge } from '../support/bridge.ts';
import { temporaryFolder } from '../support/file.ts';

const execute = promisify(execFile);
const examples = fileURLToPath(new URL('../../examples/training', import.meta.url));
/** Kept between runs, because pip takes some seconds. `npm ci` removes it. */
const environment = fileURLToPath(new URL('../../node_modules/.cache/training-writer', import.meta.url));
const python = join(environment, 'bin', 'python');

beforeAll(async () => {
  if (existsSync(join(environment, 'complete'))) return;
  await execute('python3', ['-m', 'venv', '--clear', environment]);
  await execute(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'numpy']);
  mkdirSync(join(environment, 'complete'));
});

/** Writes `values`, Python expressions, three times by the example's writer, and gives what Python printed to stderr. */
async function write(file: string, values: Readonly<Record<string, string>>): Promise<string> {
  const fields = Object.entries(values).map(([name, expression]) => `${JSON.stringify(name)}: ${expression}`);
  const script = `
import sys
import numpy
from metrics_writer import write_metrics
for _ in range(3):
    write_metrics(sys.argv[1], {"training_metrics": {${fields.join(', ')}}})
`;
  const { stderr } = await execute(python, ['-c', script, file], { env: { PYTHONPATH: examples } });
  return stderr;
}

describe('the writer of the training example', () => {
  it('writes scalars of numpy as the numbers they are', async () => {
    const bridge = await startBridge();
    const said = await write(bridge.file, {
      training_loss: 'numpy.float32(0.5)',
      epoch: 'numpy.int64(3)',
      accuracy: 'numpy.array(0.75)',
      validation_loss: 'numpy.float16("nan")',
    });
    expect(said).toBe('');
    await bridge.stop();
    const lastValue = (metric: string) => bridge.receiver.points(metric).at(-1)?.value;
    expect(lastValue('ml.training.loss')).toBe(0.5);
    expect(lastValue('ml.training.epoch')).toBe(3);
    expect(lastValue('ml.training.accuracy')).toBe(0.75);
    expect(lastValue('ml.validation.loss')).toBeNaN();
  });

  it('reports a value that cannot be written once, and never fails', async () => {
    const file = join(temporaryFolder(), 'current.json');
    const said = await write(file, { training_loss: 'numpy.zeros(2)' });
    expect(said.match(/Metrics were not written: TypeError: /g)).toHaveLength(1);
    expect(existsSync(file)).toBe(false);
  });

  it('reports a folder that cannot be written to once, and never fails', async () => {
    // A file in the place of a folder fails for root, too.
    const said = await write(`${python}/metrics/current.json`, { training_loss: '0.5' });
    expect(said.match(/Metrics were not written: /g)).toHaveLength(1);
  });
});
