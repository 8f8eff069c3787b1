import { expect, it } from 'vitest';
import { demo } from '../../../src/commands/demo/command.ts';
import { capture, commandLine } from '../../support/terminal.ts';

const short = {
  TOTAL_EPOCHS: '3',
  BATCHES_PER_EPOCH: '5',
  WRITE_INTERVAL: '0.02',
  COLLECTION_INTERVAL: '0.01',
};

it('shows a job from its first batch to the final flush, and ends well', async () => {
  const { output, text } = capture();
  expect(await demo({ output, signal: new AbortController().signal, overrides: short })).toBe(0);
  expect(text()).toContain('run running {job_id="demo-job"');
  for (const epoch of [1, 2, 3]) expect(text()).toContain(`epoch ${epoch}  ml_training_loss`);
  expect(text()).toContain('run completed');
  expect(text()).toMatch(/batch 15 of the run\. Nothing was lost\./);
  // No terminal, so no escape codes.
  expect(text()).not.toContain('\u001b');
});

it('is stopped well in the middle: the last value still arrives', async () => {
  const { output, text } = capture();
  const stop = new AbortController();
  const running = demo({ output, signal: stop.signal, overrides: { ...short, TOTAL_EPOCHS: '1000' } });
  setTimeout(() => stop.abort(), 500);
  expect(await running).toBe(0);
  expect(text()).toContain('Nothing was lost.');
});

it('takes no arguments', async () => {
  expect((await commandLine(['demo', '--fast'])).code).toBe(2);
});
