import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../support/terminal.ts';
import { testWriter } from '../../support/writers.ts';

describe('writer', () => {
  it('prints the Python writer of the training example by default', async () => {
    const example = new URL('../../../examples/training/metrics_writer.py', import.meta.url);
    const { code, text } = await commandLine(['writer']);
    expect(code).toBe(0);
    expect(text).toBe(readFileSync(example, 'utf8'));
  });

  it('names the languages it has for one it does not have', async () => {
    const { code, text, errors } = await commandLine(['writer', '--language', 'java']);
    expect(code).toBe(2);
    expect(text).toBe('');
    expect(errors).toContain('python, typescript, go, rust or bash');
  });

  testWriter({
    language: 'typescript',
    file: 'metrics-writer.ts',
    program: {
      'main.ts': `
        import { writeMetrics } from './metrics-writer.ts';
        for (const epoch of [2, 3])
          writeMetrics(process.argv[2]!, {
            job_metadata: { job_id: 'a "quoted" job' },
            training_metrics: { epoch, training_loss: NaN, validation_loss: -Infinity, learning_rate: 0.000001 },
          });`,
    },
    commands: [[process.execPath, '--no-warnings', 'main.ts']],
  });

  testWriter({
    language: 'bash',
    file: 'writer.sh',
    program: {
      'main.sh': `set -euo pipefail
        source ./writer.sh
        for epoch in 2 3; do
          write_metrics "$1" 'a "quoted" job' epoch=$epoch training_loss=NaN validation_loss=-Infinity learning_rate=0.000001
        done`,
    },
    commands: [['bash', 'main.sh']],
  });
});
