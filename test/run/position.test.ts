import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionOf, shareDone } from '../../src/run/position.ts';
import { noProgress } from '../../src/run/progress.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';

function share(
  values: Snapshot['values'],
  counting: Partial<typeof noProgress> = {},
  reportedProgress?: Snapshot['reportedProgress'],
): number | undefined {
  const reported = reportedProgress === undefined ? {} : { reportedProgress };
  const position = positionOf({ values, ...reported }, { ...noProgress, ...counting });
  return position && shareDone(position);
}
const epochs = { total_epochs: 4, batches_per_epoch: 10 };

describe('the share of a run that is done', () => {
  it.each([
    ['steps', { global_step: 30, total_steps: 120 }, 0.25],
    [
      'steps before epochs',
      { global_step: 30, total_steps: 120, epoch: 4, batch_number: 10, ...epochs },
      0.25,
    ],
    ['batches of all epochs', { epoch: 2, batch_number: 5, ...epochs }, 0.375],
    ['the beginning', { epoch: 1, batch_number: 0, ...epochs }, 0],
    ['before the beginning', { epoch: 0, batch_number: 0, ...epochs }, 0],
    ['the end', { epoch: 4, batch_number: 10, ...epochs }, 1],
    ['fractional epochs', { epoch: 2.5, batch_number: 5, ...epochs }, 0.375],
    ['more batches than an epoch has', { epoch: 2, batch_number: 14, ...epochs }, 0.5],
    ['more steps than the total', { global_step: 121, total_steps: 120 }, 1],
    ['no total', { global_step: 30, epoch: 2, batch_number: 5 }, undefined],
    ['epochs without the batches of each', { epoch: 2, batch_number: 5, total_epochs: 4 }, undefined],
    ['epochs without a batch', { epoch: 2, ...epochs }, undefined],
    ['a total of 0', { global_step: 0, total_steps: 0 }, undefined],
  ] as const)('%s', (_, values, expected) => {
    expect(share(values)).toBe(expected);
  });

  it('counts from 0 where the run was seen to do so', () => {
    expect(share({ epoch: 1, batch_number: 4, ...epochs }, { fromZero: true })).toBe(0.125);
    expect(share({ epoch: 3, batch_number: 10, ...epochs }, { epochsFromZero: true })).toBe(1);
  });

  it('is what a log states where the numbers do not give it', () => {
    const reported = { share: 0.6, remainingMs: undefined };
    expect(share({ epoch: 2 }, {}, reported)).toBe(0.6);
    expect(share({ global_step: 1, total_steps: 4 }, {}, reported)).toBe(0.25);
  });

  it('is from 0 to 1 whatever the file says', () => {
    const number = fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }), { nil: undefined });
    const fields = [
      'global_step',
      'total_steps',
      'epoch',
      'batch_number',
      'total_epochs',
      'batches_per_epoch',
    ];
    const values = fc.record(Object.fromEntries(fields.map((field) => [field, number])));
    fc.assert(
      fc.property(values, fc.boolean(), fc.boolean(), (given, fromZero, epochsFromZero) => {
        const done = share(given as Snapshot['values'], { fromZero, epochsFromZero }) ?? 0;
        expect(done).toBeGreaterThanOrEqual(0);
        expect(done).toBeLessThanOrEqual(1);
      }),
    );
  });
});
