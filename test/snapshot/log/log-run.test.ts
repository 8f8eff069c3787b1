import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/file.ts';
import { followLog, resumesOf, runsOf } from './support.ts';

const line = (fields: object) => `${JSON.stringify(fields)}\n`;
const train = (...steps: readonly number[]) => steps.map((step) => line({ step, loss: 1 })).join('');
const evaluation = (step: number) => line({ step, eval_loss: 1 });

it('evaluations that go back after the training did are the same resume', async () => {
  const path = join(temporaryFolder(), 'log.jsonl');
  const log = followLog(path);
  log.write(path, train(5, 10) + evaluation(10) + train(15, 20) + evaluation(20));
  log.write(path, train(15) + evaluation(15) + train(20, 25) + evaluation(25));
  await log.poll();
  expect(resumesOf(log)).toEqual([{ at: 15, from: 20 }]);
  log.write(path, evaluation(20) + train(20, 25));
  await log.poll();
  expect(resumesOf(log)).toEqual([
    { at: 15, from: 20 },
    { at: 20, from: 25 },
  ]);
  expect(runsOf(log)).toHaveLength(1);
});
