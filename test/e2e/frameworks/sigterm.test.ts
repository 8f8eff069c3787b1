import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { startDeliveringProcess } from '../../support/delivering-process.ts';
import { until } from '../../support/until.ts';
import { hasTorch, trainingCommand, trainingEnvironment } from './training-script.ts';

it.each(
  [
    { script: 'train_keras.py', isInstalled: true },
    { script: 'train_sklearn.py', isInstalled: true },
    { script: 'train_torch.py', isInstalled: hasTorch },
    { script: 'train_lightning.py', isInstalled: hasTorch },
    { script: 'train_huggingface.py', isInstalled: hasTorch },
  ].filter(({ isInstalled }) => isInstalled),
)(
  '$script: after SIGTERM to the training and then to the bridge, the last values have arrived',
  async ({ script }) => {
    // The training ends between two polls.
    const environment = { COLLECTION_INTERVAL: '1' };
    const { receiver, file, bridge } = await startDeliveringProcess({ environment });
    const [python, ...args] = trainingCommand(script, file, '--epochs', '100000');
    const training = spawn(python, args, { env: trainingEnvironment, stdio: 'ignore' });
    onTestFinished(() => void training.kill('SIGKILL'));
    await until(() => receiver.points('ml.training.loss').length > 2, 'a few values', 300_000);
    training.kill('SIGTERM');
    await once(training, 'exit');
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });

    const { training_metrics: last } = JSON.parse(readFileSync(file, 'utf8'));
    const lastOf = (metric: string) => receiver.points(metric).at(-1)?.value;
    expect(lastOf('ml.training.loss')).toBe(last.training_loss ?? last.train_loss ?? last.loss);
    expect(lastOf('ml.training.epoch')).toBe(last.epoch);
    const states = receiver.points('ml.training.run.state').filter(({ value }) => value === 1);
    // Lightning raises an exception at SIGTERM, which its callback writes.
    expect(states.at(-1)?.attributes.state).toBe(script === 'train_lightning.py' ? 'failed' : 'ended');
  },
  600_000,
);
