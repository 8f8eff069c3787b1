import { expect, it } from 'vitest';
import { parseMetricsFile } from '../../src/snapshot/interpret.ts';
import { pythonJson } from '../support/file.ts';

const parse = (document: unknown) => parseMetricsFile(Buffer.from(pythonJson(document)));

it.each([
  [{}],
  [{ training_metrics: {} }],
  [{ timestamp: '2025-10-23T10:30:45Z', epoch: 3, training_loss: 1.5 }],
  [{ timestamp: 'yesterday' }],
  [{ job_metadata: { owner: 'me' }, training_metrics: { phase: 'warmup', done: true } }],
])('%j holds no metrics', (document) => {
  expect(parse(document)).toMatchObject({ status: 'no_metrics' });
});

it.each([
  [{ status: 'completed' }],
  [{ error: 'out of memory' }],
  [{ events: [{ name: 'checkpoint' }] }],
  [{ job_metadata: { job_id: 'a' } }],
  [{ training_metrics: { training_loss: Number.NaN } }],
  [{ training_metrics: { loss: 1 } }],
  [{ training_metrics: { dummy: '1.5' } }],
  // The log names these fields as skipped.
  [{ training_metrics: { training_loss: 'low' } }],
  [{ training_metrics: { größe: 1 } }],
  [{ training_metrics: null }],
])('%j is a snapshot', (document) => {
  expect(parse(document)).toMatchObject({ status: 'ok' });
});

it('is said with what was found and what to write', () => {
  const names = Array.from({ length: 12 }, (_, index) => [`field_${index}`, index]);
  expect(parse({ ...Object.fromEntries(names), training_metrics: { phase: 'warmup' } })).toEqual({
    status: 'no_metrics',
    reason:
      'no number in training_metrics and no other field that is known; found: field_0, field_1, field_2, field_3, field_4, field_5, field_6, field_7, field_8, field_9 and 3 more; write {"training_metrics": {"training_loss": 1.5}}',
  });
  expect(parse({})).toMatchObject({ reason: expect.stringContaining('the object is empty') });
});
