import { expect, it } from 'vitest';
import { formatOfPreset, type PresetName } from '../../../../src/catalogue/file-formats.ts';
import { detectFormat } from '../../../../src/snapshot/log/formats/detect.ts';
import { createRecordMapper } from '../../../../src/snapshot/log/formats/map-record.ts';
import { decodeParts, logFixture } from './support.ts';

/** Gives the values of a field in the records of a recorded log that have it. */
async function valuesOf(name: string) {
  const bytes = logFixture(`recorded/${name}`);
  const preset = detectFormat(name, bytes) as PresetName;
  const { records, problems } = await decodeParts(formatOfPreset(preset), [bytes]);
  expect(problems).toEqual([]);
  const map = createRecordMapper(preset);
  const metrics = records.flatMap((record) => {
    const result = map(record);
    return result.status === 'ok'
      ? [Object(result.document.training_metrics) as Readonly<Record<string, unknown>>]
      : [];
  });
  return (field: string) => metrics.map((it) => it[field]).filter((value) => value !== undefined);
}

const steps = (first: number, last: number, every: number) =>
  Array.from({ length: (last - first) / every + 1 }, (_, index) => first + index * every);
const isNaNText = (value: unknown) => Number.isNaN(Number(value));

it.each([
  ['version_0', steps(10, 40, 10), [1, 2], 0],
  ['version_1', steps(50, 80, 10), [3, 4], 1],
  ['version_2', steps(10, 30, 10), [1, 2], 0],
])('Lightning %s: a run, its resume and a killed one', async (version, expected, epochs, lossesOfNaN) => {
  const values = await valuesOf(`lightning/lightning_logs/${version}/metrics.csv`);
  expect([...new Set(values('global_step'))]).toEqual(expected);
  expect([...new Set(values('epoch'))]).toEqual(epochs);
  expect(values('training_loss')).toHaveLength(expected.length);
  expect(values('training_loss').filter(isNaNText)).toHaveLength(lossesOfNaN);
  expect(values('learning_rate')).toEqual(expected.map(() => 0.01));
});

it.each([
  ['first/events.out.tfevents.1', steps(5, 40, 5), 2],
  ['resumed/events.out.tfevents.2', steps(25, 40, 5), 0],
  ['killed/events.out.tfevents.3', [5, 10], 0],
])('Hugging Face %s: a loss of NaN that is logged as 0', async (file, expected, lossesOfNaN) => {
  const values = await valuesOf(`huggingface/${file}`);
  expect([...new Set(values('global_step'))]).toEqual(expected);
  expect(values('training_loss')).toHaveLength(expected.length);
  expect(values('training_loss').filter(isNaNText)).toHaveLength(lossesOfNaN);
  expect(values('learning_rate')).toHaveLength(expected.length);
});

it.each([
  ['first', steps(5, 40, 5), [1, 2], 2],
  ['resumed', steps(25, 40, 5), [2], 0],
  ['killed', [5, 10], [1], 0],
])('mmengine %s: the step of a validation is its epoch', async (run, expected, epochs, lossesOfNaN) => {
  const values = await valuesOf(`mmengine/${run}/vis_data/scalars.json`);
  expect(values('global_step')).toEqual(expected);
  expect([...new Set(values('epoch'))]).toEqual(epochs);
  expect(values('training_loss').filter(isNaNText)).toHaveLength(lossesOfNaN);
  expect(values('processing_time_ms')).toHaveLength(expected.length);
});

it.each([
  ['train', [1, 2]],
  ['train-2', [1, 2]],
  ['killed', [1, 2]],
  ['resumed', [1, 2, 3, 4]],
])('Ultralytics %s: a second run has a folder of its own, a resume appends', async (run, epochs) => {
  const values = await valuesOf(`ultralytics/${run}/results.csv`);
  expect(values('epoch')).toEqual(epochs);
  expect(values('learning_rate')).toHaveLength(epochs.length);
  expect(values('metrics_map50_95_b')).toEqual(epochs.map(() => 0));
});

it('LLaMA-Factory: a run whose evaluation becomes NaN, then a killed one and its resume in the same file', async () => {
  const first = await valuesOf('llama-factory/first/trainer_log.jsonl');
  expect([...new Set(first('global_step'))]).toEqual(steps(5, 40, 5));
  expect(new Set(first('total_steps'))).toEqual(new Set([40]));
  expect(first('validation_loss').map(isNaNText)).toEqual([false, true]);
  // Without grad_norm, a loss of exactly 0 is the only sign.
  expect(first('training_loss').slice(-2)).toEqual([0, 0]);
  const appended = await valuesOf('llama-factory/appended/trainer_log.jsonl');
  const ofThree = [...steps(5, 40, 5), ...steps(5, 30, 5), ...steps(25, 40, 5)];
  expect(appended('training_loss')).toHaveLength(ofThree.length);
  expect(appended('learning_rate')).toHaveLength(ofThree.length);
  const repeated = appended('global_step');
  expect(repeated.filter((step, index) => step !== repeated[index - 1])).toEqual(ofThree);
});

it('ms-swift: a run whose loss becomes NaN, then a killed one and its resume in the same file', async () => {
  const first = await valuesOf('swift/first/logging.jsonl');
  const logged = [1, ...steps(5, 40, 5)];
  expect([...new Set(first('global_step'))]).toEqual(logged);
  expect(new Set(first('total_steps'))).toEqual(new Set([40]));
  // Written as 0, beside a grad_norm of NaN.
  expect(first('training_loss').map(isNaNText)).toEqual(logged.map((step) => step > 30));
  // The last evaluation is written twice.
  expect(first('validation_loss').map(isNaNText)).toEqual([false, true]);
  expect(first('processing_time_ms')).toHaveLength(logged.length);
  const appended = await valuesOf('swift/appended/logging.jsonl');
  const ofThree = [...logged, 1, ...steps(5, 30, 5), ...steps(25, 40, 5)];
  expect(appended('learning_rate')).toHaveLength(ofThree.length);
  const repeated = appended('global_step');
  expect(repeated.filter((step, index) => step !== repeated[index - 1])).toEqual(ofThree);
});

it('detectron2: the evaluation at the end is no step, and a run is appended to the one before', async () => {
  const first = await valuesOf('detectron2/first/metrics.json');
  expect(first('global_step')).toEqual(steps(5, 40, 5));
  expect(first('training_loss')).toHaveLength(8);
  expect(first('processing_time_ms')).toHaveLength(8);
  expect(first('bbox_ap')).toEqual([12.5, 12.5]);
  const appended = await valuesOf('detectron2/appended/metrics.json');
  const ofThree = [...steps(5, 40, 5), ...steps(5, 30, 5), ...steps(15, 40, 5)];
  expect(appended('global_step')).toEqual(ofThree);
  expect(appended('learning_rate')).toHaveLength(ofThree.length);
});
