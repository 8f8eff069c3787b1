import { describe, expect, it } from 'vitest';
import { readSimulationSettings } from '../../../src/commands/simulate/settings.ts';

describe('the settings of a simulation', () => {
  it('have defaults', () =>
    expect(readSimulationSettings({})).toEqual({
      status: 'ok',
      settings: {
        jobId: 'training-job-001',
        modelName: 'resnet-50',
        dataset: 'imagenet',
        metricsFilePath: '/shared/metrics/current.json',
        writeIntervalMs: 1000,
        totalEpochs: 10,
        batchesPerEpoch: 100,
        seed: expect.any(Number),
      },
    }));

  it('draw a seed that is itself a valid one', () => {
    const drawn = readSimulationSettings({});
    if (drawn.status !== 'ok') throw new Error('the defaults are wrong');
    const { seed } = drawn.settings;
    expect(readSimulationSettings({ SEED: String(seed) })).toMatchObject({ settings: { seed } });
  });

  it('are read from the environment', () =>
    expect(
      readSimulationSettings({ JOB_ID: 'j', WRITE_INTERVAL: '0.25', TOTAL_EPOCHS: '2', SEED: '0' }),
    ).toMatchObject({ settings: { jobId: 'j', writeIntervalMs: 250, totalEpochs: 2, seed: 0 } }));

  it('name everything that is wrong at once', () => {
    const reading = readSimulationSettings({
      WRITE_INTERVAL: '0',
      TOTAL_EPOCHS: 'ten',
      BATCHES_PER_EPOCH: '1.5',
      SEED: '4294967296',
    });
    const named = reading.status === 'invalid' ? reading.problems.map(({ variable }) => variable) : [];
    expect(named.toSorted()).toEqual(['BATCHES_PER_EPOCH', 'SEED', 'TOTAL_EPOCHS', 'WRITE_INTERVAL']);
  });
});
