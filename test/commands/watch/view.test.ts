import { describe, expect, it } from 'vitest';
import { plainText, widthOf } from '../../../src/cli/terminal/line.ts';
import { unreadState, type WatchState } from '../../../src/commands/watch/state.ts';
import { choiceAfter } from '../../../src/commands/watch/terminal.ts';
import { type Choice, watchView } from '../../../src/commands/watch/view.ts';
import { type Document, polled, read, stateAfter, trainingExample } from './support.ts';

const first: Choice = { file: 0, field: undefined };
const sizes = { '80x24': { columns: 79, rows: 23 }, '200x60': { columns: 199, rows: 59 } };
const keys = '←/→ metric   q quit';

const text = (...parameters: Parameters<typeof watchView>) =>
  `${watchView(...parameters)
    .map((line) => plainText(line).trimEnd())
    .join('\n')}\n`;

const withMetrics = (document: Document | undefined, metrics: Readonly<Record<string, unknown>>) => {
  if (document === undefined) throw new Error('no document');
  return { ...document, training_metrics: { ...document.training_metrics, ...metrics } };
};

const half = trainingExample.slice(0, 26);
const running = stateAfter(half);
const becameNaN = polled(running, read(withMetrics(half.at(-1), { training_loss: Number.NaN })), 260);
const broken = polled(running, { status: 'malformed', reason: 'line 3: unexpected end of JSON input' }, 261);
const vanished = polled(
  running,
  { status: 'missing', reason: '/shared/metrics/current.json does not exist' },
  262,
);
const stalled = polled(running, { status: 'unchanged' }, 1200, 950_000);

const ranks = Array.from({ length: 16 }, (_, rank): WatchState => {
  const documents = trainingExample.slice(0, rank === 5 ? 12 : 30).map((document) => ({
    ...withMetrics(document, { training_loss: Number(document.training_metrics.training_loss) + rank / 100 }),
    job_metadata: { ...document.job_metadata, rank },
  }));
  const state = stateAfter(documents, `/shared/metrics/rank-${rank}.json`);
  if (rank === 3) return unreadState('/shared/metrics/rank-3.json');
  return rank === 7
    ? polled(state, read(withMetrics(documents.at(-1), { training_loss: Number.NaN })), 400)
    : state;
});

describe.each(Object.entries(sizes))('at %s, the view looks as in the golden file', (name, size) => {
  it.each([
    ['waiting', [unreadState('/shared/metrics/current.json')]],
    ['running', [running]],
    ['completed', [stateAfter(trainingExample)]],
    ['nan', [becameNaN]],
    ['broken', [broken]],
    ['vanished', [vanished]],
    ['stalled', [stalled]],
    ['two', [running, stateAfter(trainingExample, '/other/current.json')]],
    ['ranks', ranks],
  ])('%s', async (scene, states) => {
    await expect(text(states, first, size, keys)).toMatchFileSnapshot(
      `../../golden/watch/${scene}-${name}.txt`,
    );
  });
});

describe('the view', () => {
  const cases = [0, 1, 5, 12, 24, 60].flatMap((rows) =>
    [1, 20, 60, 80, 200].map((columns) => ({ columns, rows })),
  );
  it.each(cases)('fits $columns columns and $rows rows', (size) => {
    for (const states of [[running], [running, broken], ranks]) {
      const lines = watchView(states, first, size, keys);
      expect(lines.length).toBeLessThanOrEqual(size.rows);
      expect(Math.max(0, ...lines.map(widthOf))).toBeLessThanOrEqual(size.columns);
    }
  });

  it('draws the number that was chosen', () => {
    const choice = choiceAfter(first, 'right', [running]);
    expect(choice.field).toBe('validation_loss');
    expect(text([running], choice, sizes['80x24'])).toMatch(/▸validation_loss/);
    expect(choiceAfter(first, 'left', [running]).field).toBe('global_step');
  });

  it('draws the file that was chosen', () => {
    const choice = choiceAfter(choiceAfter(first, 'up', ranks), 'up', ranks);
    expect(choice.file).toBe(14);
    expect(text(ranks, choice, sizes['80x24'])).toMatch(/^▸rings-001 rank 14/m);
    expect(choiceAfter(choice, 'down', ranks).file).toBe(15);
  });

  it('keeps the curve and the events where there are more numbers than rows, and shows the chosen one', () => {
    const extras = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`extra_${index}`, index]));
    const states = [stateAfter([...half, withMetrics(half.at(-1), extras)])];
    const shown = text(states, first, sizes['80x24'], keys);
    expect(shown).toMatch(/┤.*\n.*┤.*\n.*┤.*\n.*┤/);
    expect(shown).toMatch(/1–22 of 59 numbers/);
    expect(shown).toContain('epoch 1 ended');
    const last = text(states, choiceAfter(first, 'left', states), sizes['80x24'], keys);
    expect(last).toMatch(/▸global_step/);
  });

  it('keeps the name and the state of a run where a row is narrow', () => {
    expect(text([running], first, { columns: 40, rows: 12 })).toMatch(/^ rings-001 +● running$/m);
    expect(text([running], first, { columns: 60, rows: 12 })).toMatch(/^ rings-001 +written .* ● running$/m);
  });

  it('keeps the end of a path that is too long, in which paths differ', () => {
    const paths = [1, 2].map((rank) => `/a/very/long/path/of/a/volume/ジョブ/rank-${rank}.json`);
    const shown = text(paths.map(unreadState), first, sizes['80x24']);
    expect(shown).toMatch(/^▸….*ブ\/rank-1\.json +● not read/m);
    expect(shown).toMatch(/^ ….*ブ\/rank-2\.json +● not read/m);
    expect(text([unreadState(paths[0] ?? '')], first, { columns: 40, rows: 9 })).toMatch(
      /rank-1\.json +● not/,
    );
  });

  it('of more files than rows shows those around the chosen one', () => {
    const many = Array.from({ length: 64 }, (_, index) => unreadState(`/metrics/${index}.json`));
    const shown = text(many, { ...first, file: 40 }, sizes['80x24'], keys);
    expect(shown).toMatch(/^▸\/metrics\/40\.json/m);
    expect(shown).toContain('21 of 64 runs');
  });

  it('of many files shows what happened to each', () => {
    expect(text(ranks, first, sizes['80x24'], keys)).toMatch(
      /Z {2}rings-001 rank 7 {2}training_loss became NaN/,
    );
  });

  it('shows the date of events of another day', () => {
    const day = 86_400;
    const events = text([polled(becameNaN, read(half.at(-1)), day)], first, sizes['80x24']);
    expect(events).toMatch(/^ 2025-10-23 10:19:19Z {2}training_loss became NaN/m);
    expect(events).toMatch(/^ 10:14:59Z {2}training_loss is finite again/m);
  });

  it('keeps control characters of a file off the terminal', () => {
    const [document] = half;
    const hostile = { ...document, job_metadata: { job_id: '\u001b[2Jjob\n' } } as unknown as Document;
    expect(text([stateAfter([hostile])], first, sizes['80x24'])).not.toMatch(/\u001b|job\n/);
  });
});
