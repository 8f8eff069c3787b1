import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Output } from '../../../src/cli/terminal/output.ts';
import { createDemoView } from '../../../src/commands/demo/terminal.ts';
import { example } from './example.ts';

function createOutput(size: { columns?: number; rows?: number; colours?: boolean } = {}) {
  const stream = new PassThrough({ encoding: 'utf8' });
  const output = Object.assign(stream, size, { hasColors: () => size.colours ?? false });
  return { output: output as Output & PassThrough, written: () => String(stream.read() ?? '') };
}

describe('without a terminal', () => {
  it('prints a line an epoch and a line a state, and the summary, without escape codes', () => {
    const { output, written } = createOutput();
    const shown = createDemoView({ output, isTty: false });
    shown.note('a note');
    for (let n = 0; n < 150; n++) shown.update(example({ n }));
    shown.update(example({ n: 149, state: 'completed' }));
    shown.update(example({ n: 0, jobId: 'second' }));
    shown.finish(['the end']);
    shown.note('too late');
    expect(written().trimEnd().split('\n')).toEqual([
      'a note',
      'run running {job_id="training-job-001", model_name="resnet-50", dataset="imagenet"}',
      'epoch 1  ml_training_loss 1.3246  ml_validation_loss 1.6131  ml_training_accuracy 0.5011  ml_training_batch_number_total 60',
      'epoch 2  ml_training_loss 0.8898  ml_validation_loss 1.1358  ml_training_accuracy 0.7262  ml_training_batch_number_total 120',
      'run completed {job_id="training-job-001", model_name="resnet-50", dataset="imagenet"}',
      expect.stringMatching(/^epoch 3 .* 150$/),
      'run running {job_id="second", model_name="resnet-50", dataset="imagenet"}',
      expect.stringMatching(/^epoch 1 .* 1$/),
      'the end',
    ]);
  });
});

describe('on a terminal', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('draws at once, then at most once an interval', () => {
    const { output, written } = createOutput({ columns: 100, rows: 40 });
    const shown = createDemoView({ output, isTty: true, redrawMs: 100 });
    expect(written()).toBe('');
    shown.update(example({ n: 0 }));
    vi.advanceTimersByTime(0);
    expect(written()).toContain('ml_training_loss');
    for (let n = 1; n < 50; n++) shown.update(example({ n }));
    vi.advanceTimersByTime(99);
    expect(written()).toBe('');
    vi.advanceTimersByTime(1);
    expect(written().match(/ml-metrics-bridge/g)).toHaveLength(1);
    shown.finish([]);
  });

  it('goes up as many rows as it drew, fewer than the terminal has', () => {
    const { output, written } = createOutput({ columns: 80, rows: 24 });
    const shown = createDemoView({ output, isTty: true });
    shown.note('Ctrl-C ends the demo');
    vi.advanceTimersByTime(0);
    expect(written().split('\n')).toHaveLength(24);
    shown.note('again');
    vi.advanceTimersByTime(100);
    expect(written()).toMatch(/^\u001b\[23A\u001b\[1G/);
    shown.finish([]);
  });

  it('starts afresh when the terminal is resized', () => {
    const { output, written } = createOutput({ columns: 80, rows: 24 });
    const shown = createDemoView({ output, isTty: true });
    shown.update(example({ n: 0 }));
    vi.advanceTimersByTime(0);
    written();
    Object.assign(output, { columns: 60, rows: 10 });
    output.emit('resize');
    const redrawn = written();
    expect(redrawn).toMatch(/^\u001b\[1;1H\u001b\[0J/);
    expect(redrawn.split('\n')).toHaveLength(10);
    shown.finish([]);
    expect(output.listenerCount('resize')).toBe(0);
  });

  it('hides the cursor and gives it back, with the last state and the summary', () => {
    const { output, written } = createOutput({ columns: 100, rows: 40 });
    const listeners = process.listenerCount('exit');
    const shown = createDemoView({ output, isTty: true });
    shown.update(example({ n: 0, loss: 7.25 }));
    shown.finish(['one', 'two']);
    shown.finish(['three']);
    shown.update(example({ n: 1 }));
    vi.advanceTimersByTime(1000);
    const all = written();
    expect(all.startsWith('\u001b[?25l')).toBe(true);
    expect(all.endsWith('\u001b[?25hone\ntwo\n')).toBe(true);
    expect(all).toContain('7.2500');
    expect(process.listenerCount('exit')).toBe(listeners);
  });

  it.each([
    [true, '\u001b[1mml-metrics-bridge'],
    [false, '\u001b[1G ml-metrics-bridge'],
  ])('has colours where the terminal has: %s', (colours, title) => {
    const { output, written } = createOutput({ columns: 100, rows: 40, colours });
    const shown = createDemoView({ output, isTty: true });
    shown.finish([]);
    expect(written()).toContain(title);
  });
});
