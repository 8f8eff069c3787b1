import { expect, it } from 'vitest';
import { advanceProgress, noProgress } from '../../src/run/progress.ts';

it('batches that count from 0 do so in later epochs, too, whose batch 0 was not seen', () => {
  const written = [
    { epoch: 1, batch_number: 9 },
    { epoch: 2, batch_number: 0 },
    { epoch: 2, batch_number: 9 },
    { epoch: 3, batch_number: 1 },
  ];
  const counts: (number | undefined)[] = [];
  let progress = noProgress;
  for (const values of written) {
    progress = advanceProgress(progress, values);
    counts.push(progress.batches);
  }
  expect(counts).toEqual([9, 11, 20, 22]);
});
