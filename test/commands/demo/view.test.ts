import { describe, expect, it } from 'vitest';
import { clip, plainText, widthOf } from '../../../src/cli/terminal/line.ts';
import type { Point } from '../../../src/commands/demo/receiver/receiver.ts';
import { initialState, observe } from '../../../src/commands/demo/state.ts';
import { maximumSize, view } from '../../../src/commands/demo/view.ts';
import { type Example, example } from './example.ts';

const trained = (batches: number, options: Partial<Example> = {}) =>
  Array.from({ length: batches }, (_, n) => example({ n, ...options })).reduce(observe, initialState);

const drawn = (...parameters: Parameters<typeof view>) => view(...parameters).map(plainText);

const golden = (name: string) => `../../golden/demo-${name}.txt`;
const text = (lines: readonly string[]) => `${lines.map((line) => line.trimEnd()).join('\n')}\n`;

describe('view', () => {
  it.each([
    ['waiting', 0, maximumSize],
    ['first-epoch', 30, maximumSize],
    ['last-epoch', 250, maximumSize],
    ['small', 250, { columns: 79, rows: 23 }],
  ])('looks as in the golden file: %s', async (name, batches, size) => {
    await expect(text(drawn(trained(batches), size, 'Ctrl-C ends the demo'))).toMatchFileSnapshot(
      golden(name),
    );
  });

  const sizes = [0, 1, 2, 12, 19, 22, 25, 30, 60].flatMap((rows) =>
    [1, 20, 60, 79, 100, 200].map((columns) => [columns, rows]),
  );
  it.each(sizes)('fits %i columns and %i rows', (columns = 0, rows = 0) => {
    for (const state of [initialState, trained(250)]) {
      const lines = view(state, { columns, rows }, 'a note');
      expect(lines.length).toBeLessThanOrEqual(Math.min(rows, maximumSize.rows));
      expect(Math.max(0, ...lines.map(widthOf))).toBeLessThanOrEqual(Math.min(columns, maximumSize.columns));
    }
  });

  it('fills the screen with the curve, also when a metric more is shown', () => {
    const request = example({ n: 3 });
    const [first] = request.points;
    const nonFinite = {
      ...first,
      metric: 'ml.training.non_finite',
      value: 2,
      attributes: { field: 'training_loss' },
    };
    const state = observe(initialState, { ...request, points: [...request.points, nonFinite as Point] });
    const lines = drawn(state, maximumSize);
    expect(lines).toHaveLength(30);
    expect(lines).toContainEqual(
      expect.stringMatching(/^ ml_training_non_finite_total\{field\} +2 training_loss$/),
    );
  });

  it('shows a loss that is NaN', () => {
    const state = observe(trained(10), example({ n: 10, loss: Number.NaN }));
    expect(drawn(state, maximumSize)).toContainEqual(expect.stringMatching(/^ ml_training_loss +NaN /));
  });

  it('shows the labels that differ beside the metric', () => {
    const request = example({ n: 3 });
    const points = request.points.map((point, index) =>
      index === 0 ? { ...point, attributes: { ...point.attributes, rank: '1' } } : point,
    );
    const lines = drawn(observe(initialState, { ...request, points }), maximumSize);
    expect(lines).toContainEqual(expect.stringContaining(' ml_training_loss{rank="1"} '));
    expect(lines).toContain(' {job_id="training-job-001", model_name="resnet-50", dataset="imagenet"}');
  });

  it.each([
    ['constant', [1, 1, 1]],
    ['one sample', [1]],
    ['hardly different', [0, Number.MIN_VALUE]],
    ['further apart than a number can tell', [-Number.MAX_VALUE, Number.MAX_VALUE]],
    ['negative', [-1, -2, -3]],
  ])('draws a curve that is %s', (_what, losses) => {
    const state = losses.map((loss, n) => example({ n, loss })).reduce(observe, initialState);
    const lines = drawn(state, maximumSize);
    expect(lines).toHaveLength(30);
    expect(lines.filter((line) => line.includes('┤'))).not.toHaveLength(0);
    expect(lines.join()).not.toMatch(/NaN|undefined/);
  });

  it('keeps control characters of a job’s names off the terminal', () => {
    const state = observe(initialState, example({ n: 0, jobId: 'a\u001b[2J\u009b1mb\n' }));
    expect(drawn(state, maximumSize).join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});

describe('clip', () => {
  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['訓練訓練', 5, '訓練…'],
    ['a訓練b', 4, 'a訓…'],
  ])('cuts %s to %i columns', (whole, columns, cut) => {
    expect(plainText(clip([whole], columns))).toBe(cut);
  });
});
