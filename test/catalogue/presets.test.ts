import { expect, it } from 'vitest';
import { isNumericField } from '../../src/catalogue/metrics.ts';
import { presetField, presetNames } from '../../src/catalogue/presets.ts';

it.each([
  ['training-loss', 'training_loss'],
  ['Training Loss', 'training_loss'],
  ['trainingLoss', 'training_loss'],
  ['train_loss', 'training_loss'],
  ['loss', 'training_loss'],
  ['val_loss', 'validation_loss'],
  ['lr', 'learning_rate'],
  ['acc', 'accuracy'],
  ['GLOBAL_STEP', 'global_step'],
  ['training_loss', undefined],
  ['step', undefined],
  ['throughput', undefined],
  ['损失', undefined],
  ['', undefined],
])('%j stands for %s', (name, field) => {
  expect(presetField(name)).toBe(field);
});

it.each(Object.entries(presetNames))('the preset %s stands for %s', (name, field) => {
  expect(isNumericField(name)).toBe(false);
  expect(presetField(name)).toBe(field);
});
