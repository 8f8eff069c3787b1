import type { SimulationSettings } from './settings.ts';
import type { TrainingStep } from './steps.ts';

/** One moment of a run, as written to the file. */
export interface SimulatedMoment {
  readonly step: TrainingStep;
  readonly status: 'running' | 'completed';
  /** When the run began, milliseconds since 1970; fractions are kept to the microsecond. */
  readonly startTimeMs: number;
  /** When the step was done, likewise. */
  readonly timeMs: number;
}

/** The text of the file, as Python's json.dumps(…, indent=2) writes it. Pure. */
export function fileContent(
  { step, status, startTimeMs, timeMs }: SimulatedMoment,
  settings: SimulationSettings,
): string {
  return pythonJson({
    timestamp: timestamp(timeMs),
    status,
    job_metadata: {
      job_id: settings.jobId,
      model_name: settings.modelName,
      dataset: settings.dataset,
      start_time: timestamp(startTimeMs),
    },
    training_metrics: {
      epoch: step.epoch,
      batch_number: step.batchNumber,
      global_step: step.globalStep,
      total_epochs: settings.totalEpochs,
      batches_per_epoch: settings.batchesPerEpoch,
      training_loss: step.trainingLoss,
      validation_loss: step.validationLoss,
      accuracy: step.accuracy,
      learning_rate: step.learningRate,
      gpu_utilization: step.gpuUtilization,
      processing_time_ms: step.processingTimeMs,
      samples_per_second: step.samplesPerSecond,
    },
  });
}

/**
 * A time as Python's datetime.isoformat() writes it in UTC: `2025-10-23T10:30:45.123456+00:00`.
 *
 * @param ms milliseconds since 1970, with the microseconds as its fraction
 */
export function timestamp(ms: number): string {
  const whole = Math.floor(ms);
  const microseconds = Math.floor((ms - whole) * 1000);
  return new Date(whole).toISOString().replace('Z', `${String(microseconds).padStart(3, '0')}+00:00`);
}

type Json = string | number | { readonly [key: string]: Json };

/** JSON with the bare NaN, Infinity and -Infinity that Python writes, for which JSON.stringify writes null. */
function pythonJson(value: Json, indent = ''): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, member]) => `${indent}  ${JSON.stringify(key)}: ${pythonJson(member, `${indent}  `)}`,
  );
  return `{\n${members.join(',\n')}\n${indent}}`;
}
