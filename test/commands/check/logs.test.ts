import { appendFileSync, copyFileSync, mkdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { reportLines } from '../../../src/commands/check/text.ts';
import { frameworkLogs, logFixture } from '../../snapshot/log/formats/support.ts';
import { check, openFolder } from './support.ts';

const checkLog = async (name: string, environment: Readonly<Record<string, string>> = {}) => {
  const file = join(openFolder(), basename(name));
  return (await check(logFixture(name), { file, environment })).report;
};

/** Each column with its series, or else what is said of it. */
const columnsOf = ({ fields }: Awaited<ReturnType<typeof checkLog>>) =>
  Object.fromEntries(
    fields.map(({ field, written, metric, becomes, advice }) => [
      field,
      [written, metric?.series[0]?.name ?? becomes ?? advice],
    ]),
  );

it.each(frameworkLogs)('%s is a log of %s, every column of which is explained', async (name, format) => {
  const report = await checkLog(name);
  expect(report).toMatchObject({ status: 'usable', problems: [], file: { outcome: 'ok', format } });
  for (const { metric, becomes, advice } of report.fields) expect(metric ?? becomes ?? advice).toBeDefined();
});

it('shows the series of each column, and the last value of each', async () => {
  expect(columnsOf(await checkLog('swift.jsonl'))).toEqual({
    'global_step/max_steps': ['"10/160"', 'ml_training_total_steps'],
    epoch: ['0.25', 'ml_training_epoch_total'],
    loss: ['0', 'ml_training_loss'],
    learning_rate: ['0.00475', 'ml_training_learning_rate'],
    'train_speed(s/it)': ['0.25', 'no metric: a time, or a repetition'],
    grad_norm: [
      'NaN',
      'is not finite: exported once it has had a finite value, counted in ml_training_non_finite_total',
    ],
    elapsed_time: ['"1m 4s"', 'no metric: a time, or a repetition'],
    remaining_time: ['"35s"', 'no metric: a time, or a repetition'],
    eval_loss: ['2.5', 'ml_validation_loss'],
  });
});

it('explains a loss of 0 beside a NaN gradient norm, and what is passed over', async () => {
  const { notes } = await checkLog('swift.jsonl');
  expect(notes).toContain('2 × a record only repeats others, and is passed over.');
  expect(notes.join()).toContain('logging_nan_inf_filter');
});

it('shows how names are spelled, and which of two is refused', async () => {
  const file = join(openFolder(), 'log.jsonl');
  const { report } = await check('{"reward/mean@1": 1, "reward/mean-1": 2, "mAP50(B)": 3}\n', { file });
  expect(columnsOf(report)).toEqual({
    'reward/mean@1': ['1', 'ml_training_reward_mean_1'],
    'reward/mean-1': ['2', 'would be the metric reward_mean_1, and another column is: rename one of them'],
    'mAP50(B)': ['3', 'ml_training_map50_b'],
  });
});

it('reads the end of a long log, and the columns from its beginning', async () => {
  const file = join(openFolder(), 'log.csv');
  writeFileSync(file, `step,loss\n${'1,0.5\n'.repeat(300_000)}`);
  appendFileSync(file, '2,0.25\n');
  const { report } = await check(undefined, { file });
  expect(columnsOf(report)).toMatchObject({ loss: ['0.25', 'ml_training_loss'] });
  expect(report.notes).toEqual([]);
});

it('has the labels of the environment, or the name of the folder', async () => {
  const named = await checkLog('swift.jsonl', { JOB_ID: 'job-1', MODEL_NAME: 'qwen', DATASET: 'c4' });
  expect(named.labels).toMatchObject({ job_id: 'job-1', model_name: 'qwen', dataset: 'c4' });
  const folder = join(openFolder(), 'my-run', 'lightning_logs', 'version_0');
  mkdirSync(folder, { recursive: true });
  const log = logFixture('lightning_logs/version_0/metrics.csv');
  const { report } = await check(log, { file: join(folder, 'metrics.csv') });
  expect(report.labels).toMatchObject({ job_id: 'my-run' });
});

it('reads the format that is set', async () => {
  expect((await checkLog('keras.csv', { METRICS_FILE_FORMAT: 'csv' })).file.format).toBe('csv');
  const { report } = await check('step loss', { environment: { METRICS_FILE_FORMAT: 'jsonl' } });
  expect(report.file.outcome).toBe('empty');
});

it('reads the end of a long event file', async () => {
  const file = join(openFolder(), 'events.out.tfevents.1');
  const events = logFixture('events.out.tfevents.encodings');
  writeFileSync(file, Buffer.concat(Array(3_000).fill(events)));
  const { report } = await check(undefined, { file });
  expect(columnsOf(report)).toMatchObject({ loss: ['Infinity', 'ml_training_loss'] });
  expect(report.notes).toEqual([]);
});

it.each([
  ['an empty log', 'log.jsonl', ''],
  ['a log without a complete record', 'log.csv', 'epoch,loss\n1,0.5'],
  ['a binary file', 'log.jsonl', '\0\u0001\u0002\n\0\n'],
])('has a problem with %s', async (_name, name, content) => {
  const { report } = await check(content, { file: join(openFolder(), name) });
  expect(report).toMatchObject({ status: 'unusable', file: { outcome: 'empty' } });
  expect(report.problems[0]?.message).toMatch(/no complete record|is not JSON/);
});

it('reads a sparse file of 10 GB in a moment', async () => {
  const file = join(openFolder(), 'log.jsonl');
  copyFileSync('/dev/null', file);
  truncateSync(file, 10 * 1024 ** 3);
  expect((await check(undefined, { file })).report.status).toBe('unusable');
});

it('reads what the bridge would follow in a folder, or at a pattern', async () => {
  const folder = openFolder();
  const none = await check(undefined, { file: folder });
  expect(none.report.problems).toEqual([
    { message: `${folder} is a directory, not a regular file: give the path of the file itself` },
  ]);
  const runs = ['old', 'new'].map((run) => join(folder, run, 'events.out.tfevents.1'));
  for (const [index, path] of runs.entries()) {
    mkdirSync(dirname(path));
    writeFileSync(path, logFixture('events.out.tfevents.encodings'));
    utimesSync(path, 1_000 * (index + 1), 1_000 * (index + 1));
  }
  for (const file of [folder, join(folder, '*', 'events.*')]) {
    const { report } = await check(undefined, { file });
    expect(report.file).toMatchObject({ path: runs[1], format: 'tensorboard' });
    expect(report.labels).toMatchObject({ job_id: 'new' });
    expect(report.notes[0]).toContain('the newest log');
  }
});

it('reads the event files of a run as one, with the names of their folders', async () => {
  const folder = openFolder();
  for (const part of ['train', 'validation']) {
    mkdirSync(join(folder, part));
    writeFileSync(join(folder, part, 'events.out.tfevents.1'), logFixture('events.out.tfevents.encodings'));
  }
  const { report } = await check(undefined, { file: folder });
  expect(report.notes[0]).toContain(`the 2 event files in ${folder}`);
  expect(columnsOf(report)).toMatchObject({ 'validation/loss': ['Infinity', 'ml_validation_loss'] });
});

it.each([
  ['trainer_state.json', logFixture('recorded/huggingface/checkpoint-40/trainer_state.json')],
  ['trainer_state.json', '{"log_history": [], "global_step": 5, "epoch": 1.0}'],
  ['all_results.json', '{"log_history": [], "global_step": 5, "epoch": 1.0}'],
])('says what to read in place of %s', async (name, content) => {
  const { report } = await check(content, { file: join(openFolder(), name) });
  expect(report.status).toBe('unusable');
  expect(report.problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/report_to="tensorboard"/),
  ]);
});

it('is fit to read', async () => {
  const file = join(openFolder(), 'swift.jsonl');
  const { report } = await check(logFixture('swift.jsonl'), { file });
  const text = reportLines(report, 100)
    .map((line) =>
      line
        .map((it) => (typeof it === 'string' ? it : it.text))
        .join('')
        .trimEnd(),
    )
    .join('\n')
    .replaceAll(file, '/runs/logging.jsonl')
    .replace(
      /written .* ago, owner uid \d+, gid \d+, mode/s,
      'written just now, owner uid 1000, gid 1000, mode',
    )
    .replace(/job_id="[^"]*"/, 'job_id="runs"')
    .replace(/instance="[0-9a-f-]{36}"/, 'instance="8a79e7ec-18f7-5b7e-a1ff-ec2077aa7cac"');
  await expect(`${text}\n`).toMatchFileSnapshot('../../golden/check-log.txt');
});
