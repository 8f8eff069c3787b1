import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatOfPreset, type PresetName } from '../../../../src/catalogue/file-formats.ts';
import { detectFormat } from '../../../../src/snapshot/log/formats/detect.ts';
import { createRecordMapper, snapshotOf } from '../../../../src/snapshot/log/formats/map-record.ts';
import { decodeParts, logFixture } from './support.ts';

/** What each record of a log becomes: its measurements, or why it has none. */
async function mapped(name: string) {
  const bytes = logFixture(name);
  const preset = detectFormat(name, bytes) as PresetName;
  const { records } = await decodeParts(formatOfPreset(preset), [bytes]);
  const map = createRecordMapper(preset);
  const results = records.map((record) => {
    const result = map(record);
    return result.status === 'ok' ? result.document.training_metrics : result.reason;
  });
  return { preset, results };
}

const mapOne = (preset: PresetName, fields: Readonly<Record<string, unknown>>, folder?: string) => {
  const result = createRecordMapper(preset, folder === undefined ? {} : { folder })({ fields });
  return result.status === 'ok' ? result.document.training_metrics : result.reason;
};

describe('what frameworks write', () => {
  it('LLaMA-Factory', async () => {
    expect(await mapped('llama-factory.jsonl')).toEqual({
      preset: 'llama-factory',
      results: [
        {
          training_loss: 3.4850921630859375,
          learning_rate: 0.004875,
          global_step: 5,
          total_steps: 160,
          epoch: 1,
          percentage: 3.12,
        },
        { validation_loss: 'NaN', global_step: 10, total_steps: 160, epoch: 1, percentage: 6.25 },
        { global_step: 160, total_steps: 160, epoch: 4, percentage: 100 },
      ],
    });
  });

  it('ms-swift: a hidden NaN, an evaluation that is repeated, and the summary', async () => {
    expect(await mapped('swift.jsonl')).toEqual({
      preset: 'swift',
      results: [
        {
          training_loss: 3.48509216,
          grad_norm: 0.92327827,
          learning_rate: 0.004875,
          epoch: 1,
          global_step: 5,
          total_steps: 160,
          processing_time_ms: 0.228308 * 1000,
        },
        {
          training_loss: 'NaN',
          grad_norm: 'NaN',
          learning_rate: 0.00475,
          epoch: 1,
          global_step: 10,
          total_steps: 160,
          processing_time_ms: 250,
        },
        { validation_loss: 2.5, epoch: 1, global_step: 10, total_steps: 160 },
        'repeated',
        'summary',
      ],
    });
  });

  it('Ultralytics', async () => {
    const { preset, results } = await mapped('ultralytics.csv');
    expect(preset).toBe('ultralytics');
    expect(results[0]).toEqual({
      epoch: 1,
      learning_rate: 0.001,
      lr_pg1: 0.002,
      lr_pg2: 0.003,
      metrics_map50_b: 0.375,
      metrics_map50_95_b: 0.125,
      metrics_precision_b: 0.5,
      metrics_recall_b: 0.25,
      train_box_loss: 1.25,
      train_cls_loss: 2.5,
      train_dfl_loss: 1.125,
      val_box_loss: 1.5,
      val_cls_loss: 2.75,
      val_dfl_loss: 1.25,
    });
  });

  it('Keras: epochs count from 0', async () => {
    expect(await mapped('keras.csv')).toEqual({
      preset: 'keras',
      results: [
        { epoch: 1, training_loss: 1, mae: 1 },
        { epoch: 2, training_loss: 0.0625, mae: 0.25, validation_loss: 0.00390625, val_mae: 0.0625 },
        { epoch: 3, training_loss: 'nan', mae: 'nan', validation_loss: 'nan', val_mae: 'nan' },
      ],
    });
  });

  it('Lightning: steps and epochs count from 0', async () => {
    expect(await mapped('lightning_logs/version_0/metrics.csv')).toEqual({
      preset: 'lightning',
      results: [
        { learning_rate: 0.1, global_step: 10 },
        { epoch: 1, global_step: 10, training_loss: 2.5 },
        { epoch: 1, global_step: 20, validation_loss: 2.75 },
        { epoch: 2, global_step: 30, training_loss: 'nan' },
      ],
    });
  });

  it('detectron2: time is seconds an iteration, iterations count from 0', async () => {
    expect(await mapped('detectron2.json')).toEqual({
      preset: 'detectron2',
      results: [
        {
          data_time: 0.00011,
          global_step: 20,
          loss_box_reg: 2.407,
          learning_rate: 0.02,
          processing_time_ms: 53.6,
          training_loss: 8.02,
        },
        {
          bbox_ap: 37.5,
          data_time: 0.00012,
          global_step: 40,
          loss_box_reg: 2.25,
          learning_rate: 0.02,
          processing_time_ms: 62.5,
          training_loss: 'NaN',
        },
      ],
    });
  });

  it('mmengine: the step of a validation is the epoch', async () => {
    expect(await mapped('mmengine.json')).toEqual({
      preset: 'mmengine',
      results: [
        {
          learning_rate: 0.02,
          data_time: 0.0021,
          training_loss: 8.98,
          processing_time_ms: 128,
          epoch: 1,
          global_step: 10,
          iter: 10,
        },
        { toy_mse: 0.155, val_data_time: 0.0016, val_time: 0.0028, epoch: 1 },
      ],
    });
  });

  it('verl: null is NaN', async () => {
    expect(await mapped('verl.jsonl')).toEqual({
      preset: 'verl',
      results: [
        {
          actor_loss: 0.5,
          critic_vf_loss: 'NaN',
          val_core_openai_gsm8k_reward_mean_1: 0.25,
          global_step: 4,
        },
        { actor_loss: 0.25, critic_vf_loss: 1.5, training_global_step: 5, global_step: 5 },
      ],
    });
  });

  it('torch and Hugging Face through TensorBoard', async () => {
    const { preset, results } = await mapped('events.out.tfevents.tensorboardx');
    expect(preset).toBe('tensorboard');
    expect(results[3]).toEqual({
      training_loss: 0.5,
      learning_rate: Math.fround(0.001),
      train_grad_norm: Number.NaN,
      global_step: 3,
    });
    expect((await mapped('events.out.tfevents.encodings')).results[1]).toEqual({
      training_loss: 3.5,
      validation_loss: 3.75,
      global_step: 1,
    });
  });
});

it.each<[Readonly<Record<string, unknown>>, string, unknown]>([
  [{ epoch_loss: 2, step: 1 }, 'train', { training_loss: 2, global_step: 1 }],
  [{ epoch_loss: 2, step: 1 }, 'validation', { validation_loss: 2, global_step: 1 }],
  [{ 'run/loss': 2, step: 1 }, 'run_loss_train', { run_loss_train: 2, global_step: 1 }],
])('%o of the folder %s', (fields, folder, metrics) => {
  expect(mapOne('tensorboard', fields, folder)).toEqual(metrics);
});

it('keeps the loss that follows a NaN gradient norm, and the mean loss of the whole run', () => {
  expect(mapOne('jsonl', { loss: 2.5, grad_norm: 'NaN' })).toEqual({ training_loss: 2.5, grad_norm: 'NaN' });
  expect(mapOne('jsonl', { loss: 0, grad_norm: 1 })).toEqual({ training_loss: 0, grad_norm: 1 });
  expect(mapOne('jsonl', { train_loss: 2.5, train_runtime: 9 })).toEqual({
    train_loss: 2.5,
    train_runtime: 9,
  });
});

describe("the step of mmengine's validation", () => {
  const validation = { mIoU: 0.5, data_time: 0.001, time: 0.002, step: 20 };
  const training = { loss: 1, data_time: 0.001, time: 0.1, iter: 20, step: 20 };

  it.each([
    ['the epoch, if training records have epochs', { ...training, epoch: 20 }, { epoch: 20 }],
    ['an iteration, if they have none', training, { global_step: 20 }],
    ['the epoch, if it is below their iteration', { ...training, iter: 40, step: 40 }, { epoch: 20 }],
  ])('is %s', (_what, before, step) => {
    const map = createRecordMapper('mmengine');
    map({ fields: before });
    const result = map({ fields: validation });
    expect(result.status === 'ok' && result.document.training_metrics).toEqual({
      miou: 0.5,
      val_data_time: 0.001,
      val_time: 0.002,
      ...step,
    });
  });
});

it.each<[PresetName, Readonly<Record<string, unknown>>, unknown]>([
  [
    'llama-factory',
    { current_steps: 5, percentage: 12.5, remaining_time: '0:00:37' },
    { share: 0.125, remainingMs: 37_000 },
  ],
  ['llama-factory', { current_steps: 5, percentage: 'NaN' }, undefined],
  ['llama-factory', { current_steps: 5, percentage: 101, remaining_time: '-1' }, undefined],
  [
    'swift',
    { loss: 1, percentage: 5, remaining_time: '1d 2h 3m 4s' },
    { share: undefined, remainingMs: 93_784_000 },
  ],
  ['jsonl', { loss: 1, percentage: 5, remaining_time: '0:00:37' }, undefined],
])('%s: the progress that %o states', (preset, fields, progress) => {
  const result = createRecordMapper(preset)({ fields });
  const parsed = result.status === 'ok' ? snapshotOf(result) : undefined;
  expect(parsed).toMatchObject({ status: 'ok' });
  if (parsed?.status === 'ok') expect(parsed.snapshot.reportedProgress).toEqual(progress);
});

it("takes the first learning rate of Lightning's LearningRateMonitor", () => {
  expect(mapOne('lightning', { 'lr-AdamW/pg1': 0.1, 'lr-AdamW/pg2': 0.2, 'lr-AdamW-momentum': 0.9 })).toEqual(
    {
      learning_rate: 0.1,
      lr_adamw_pg2: 0.2,
      lr_adamw_momentum: 0.9,
    },
  );
  expect(mapOne('tensorboard', { 'lr-SGD': 0.1, 'lr-SGD-1': 0.2 })).toEqual({
    learning_rate: 0.1,
    lr_sgd_1: 0.2,
  });
});

it('takes lines in the shape of the metrics file as they are', () => {
  const fields = { job_metadata: { job_id: 'a' }, training_metrics: { training_loss: 1 } };
  expect(createRecordMapper('jsonl')({ fields })).toMatchObject({ status: 'ok', document: fields });
});

it('has nothing to say of a record without values', () => {
  expect(mapOne('csv', {})).toBe('no_values');
  expect(mapOne('jsonl', { elapsed_time: '0:00:01' })).toBe('no_values');
});

describe('two columns of one name', () => {
  const skippedOf = (result: ReturnType<ReturnType<typeof createRecordMapper>>) => {
    const parsed = result.status === 'ok' ? snapshotOf(result) : undefined;
    return parsed?.status === 'ok'
      ? { extras: [...parsed.snapshot.extras], skipped: parsed.snapshot.skipped }
      : parsed;
  };

  it('the first keeps the name, in all records', () => {
    const map = createRecordMapper('jsonl');
    expect(skippedOf(map({ fields: { 'reward/a@1': 1, 'reward/a-1': 2 } }))).toEqual({
      extras: [['reward_a_1', 1]],
      skipped: [{ section: 'training_metrics', field: 'reward/a-1', known: false, reason: 'name_taken' }],
    });
    expect(map({ fields: { 'reward/a-1': 2 } })).toEqual({
      status: 'not_a_measurement',
      reason: 'no_values',
    });
  });

  it('a column that is spelled as its gauge comes first', () => {
    expect(mapOne('jsonl', { 'reward/a': 1, reward_a: 2 })).toEqual({ reward_a: 2 });
  });
});

it('never throws, and gives no number that is not in the record', () => {
  const value = fc.oneof(fc.double(), fc.string(), fc.constant(null), fc.constantFrom('NaN', '5/160', '1'));
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom('loss', 'lr', 'step', 'toString', '__proto__', 'data', 'Loss'),
  );
  fc.assert(
    fc.property(fc.dictionary(name, value), (fields) => {
      const result = createRecordMapper('jsonl')({ fields });
      if (result.status !== 'ok') return;
      const parsed = snapshotOf(result);
      if (parsed.status !== 'ok') throw new Error(parsed.reason);
      const written = Object.values(fields).map(Number);
      for (const number of [...Object.values(parsed.snapshot.values), ...parsed.snapshot.extras.values()])
        expect(written.some((it) => it === number || Math.ceil(it) === number)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
