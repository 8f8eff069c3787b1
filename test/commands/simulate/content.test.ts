import { describe, expect, it } from 'vitest';
import { fileContent, timestamp } from '../../../src/commands/simulate/content.ts';
import { trainingSteps } from '../../../src/commands/simulate/steps.ts';
import { settingsFor } from './support.ts';

const settings = settingsFor('/unused', { jobId: 'a "quoted" job\n' });
const [step] = trainingSteps(settings);
if (step === undefined) throw new Error('a run without steps');
const moment = { step, status: 'running', startTimeMs: 0, timeMs: 1000.5 } as const;

describe('the content of the file', () => {
  it('has the shape of the contract', () =>
    expect(JSON.parse(fileContent(moment, settings))).toEqual({
      timestamp: '1970-01-01T00:00:01.000500+00:00',
      status: 'running',
      job_metadata: {
        job_id: 'a "quoted" job\n',
        model_name: 'model-1',
        dataset: 'data-1',
        start_time: '1970-01-01T00:00:00.000000+00:00',
      },
      training_metrics: {
        epoch: 1,
        batch_number: 0,
        global_step: 0,
        total_epochs: 4,
        batches_per_epoch: 5,
        training_loss: step.trainingLoss,
        validation_loss: step.validationLoss,
        accuracy: step.accuracy,
        learning_rate: 0.00095,
        gpu_utilization: step.gpuUtilization,
        processing_time_ms: step.processingTimeMs,
        samples_per_second: step.samplesPerSecond,
      },
    }));

  it.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ])('writes %s bare', (trainingLoss, bare) => {
    const content = fileContent({ ...moment, step: { ...step, trainingLoss } }, settings);
    expect(content).toContain(`"training_loss": ${bare},`);
    expect(() => JSON.parse(content)).toThrow(SyntaxError);
  });
});

describe('a timestamp', () => {
  it.each([
    [Date.UTC(2025, 9, 23, 10, 30, 45, 123), '2025-10-23T10:30:45.123000+00:00'],
    [Date.UTC(2025, 9, 23, 10, 30, 45, 123) + 0.5, '2025-10-23T10:30:45.123500+00:00'],
    [Date.UTC(2025, 9, 23) + 0.9995, '2025-10-23T00:00:00.000999+00:00'],
  ])('of %d is %s', (ms, text) => expect(timestamp(ms)).toBe(text));
});
