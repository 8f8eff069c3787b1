import { chmodSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { trainingMetrics } from '../../../src/catalogue/metrics.ts';
import { plainText } from '../../../src/cli/terminal/line.ts';
import type { FieldReport } from '../../../src/commands/check/field.ts';
import type { Report } from '../../../src/commands/check/report.ts';
import { reportLines } from '../../../src/commands/check/text.ts';
import { exampleText, replaceFile } from '../../support/file.ts';
import { check, openFolder } from './support.ts';

const fieldOf = ({ fields }: Report, field: string) => fields.find((it) => it.field === field) as FieldReport;

describe('a file that can be used', () => {
  it('becomes the series that Prometheus will have, with their labels', async () => {
    const { report } = await check(exampleText(), {
      environment: { OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod-1' },
    });
    const labels = {
      job_id: 'training-job-001',
      model_name: 'resnet-50',
      dataset: 'imagenet',
      job: 'ml-metrics-bridge',
      instance: 'pod-1',
    };
    expect(report).toMatchObject({ status: 'usable', problems: [], notes: [], labels });
    expect(fieldOf(report, 'epoch')).toEqual({
      section: 'training_metrics',
      field: 'epoch',
      written: '3',
      verdict: 'accepted',
      metric: {
        name: 'ml.training.epoch',
        instrument: 'counter',
        unit: '{epoch}',
        series: [{ name: 'ml_training_epoch_total', labels }],
      },
    });
    const present = trainingMetrics.filter(({ field }) => report.fields.some((it) => it.field === field));
    for (const { field, name } of present) expect(fieldOf(report, field).metric?.name).toBe(name);
    expect(present).toHaveLength(9);
  });

  it('has notes on what is missing', async () => {
    const { report } = await check(exampleText({ job: { job_id: undefined, start_time: undefined } }));
    expect(report.status).toBe('usable');
    expect(report.notes).toEqual([expect.stringContaining('job_id'), expect.stringContaining('start_time')]);
  });

  it('has its progress, if it says how long the run is', async () => {
    const { report } = await check(exampleText({ metrics: { global_step: 30, total_steps: 120 } }));
    expect(report.progress).toEqual({ share: 0.25 });
    expect(reportLines(report, 80).map(plainText)).toContain('Progress: 25.0 %');
    expect((await check(exampleText())).report.progress).toBeNull();
  });

  it('is told to be stale, and still says what it would export', async () => {
    const file = join(openFolder(), 'current.json');
    replaceFile(file, exampleText());
    utimesSync(file, Date.now() / 1000 - 7200, Date.now() / 1000 - 7200);
    const { report } = await check(undefined, { file });
    expect(report.notes).toEqual([
      'The file was last written 2 hours ago, longer than STALE_AFTER (5 minutes): its gauges are not exported until it is written again.',
    ]);
    expect(fieldOf(report, 'training_loss').metric?.series).toHaveLength(1);
  });

  it('may have more extra metrics than MAX_EXTRA_METRICS: those beyond are refused', async () => {
    const text = exampleText({ metrics: { a: 1, b: 2, c: 3 } });
    const { report } = await check(text, { environment: { MAX_EXTRA_METRICS: '2' } });
    expect(['a', 'b', 'c'].map((field) => fieldOf(report, field).verdict)).toEqual([
      'accepted',
      'accepted',
      'refused',
    ]);
    expect(fieldOf(report, 'c')).toMatchObject({
      reason: 'too_many',
      advice: 'exceeds the limit of 2 extra metrics: increase MAX_EXTRA_METRICS',
    });
    const none = await check(text, { environment: { MAX_EXTRA_METRICS: '0' } });
    expect(fieldOf(none.report, 'a').advice).toContain('MAX_EXTRA_METRICS=0');
  });

  it.each([
    ['training_los', 'training_loss', 'is an extra metric: write training_loss if you mean that'],
    ['step', 'global_step', 'is an extra metric: write global_step if you mean that'],
    ['train_loss', 'training_loss', 'is also read as training_loss: write training_loss'],
    ['lr', 'learning_rate', 'is also read as learning_rate: write learning_rate'],
    ['batchNumber', 'batch_number', 'is also read as batch_number: write batch_number'],
    ['loss', 'training_loss', 'is read as training_loss: write training_loss'],
    ['training-loss', 'training_loss', 'is read as training_loss: write training_loss'],
    ['GLOBAL_STEP', 'global_step', 'is read as global_step: write global_step'],
  ])('may hold a known field under another name: %s', async (name, field, advice) => {
    const { report } = await check(exampleText({ metrics: { [name]: 1, [field]: undefined } }));
    expect(fieldOf(report, name)).toMatchObject({ verdict: 'accepted', advice });
  });

  it.each([
    ['training-loss', { training_loss: 1 }, 'stands for training_loss, which the file has already: omit it'],
    [
      'training-loss',
      { training_loss: undefined, train_loss: 1 },
      'stands for training_loss, which is read from train_loss: write training_loss once',
    ],
  ])('may hold a known field twice: %s beside %j', async (name, metrics, advice) => {
    const { report } = await check(exampleText({ metrics: { ...metrics, [name]: 1 } }));
    expect(fieldOf(report, name)).toMatchObject({ verdict: 'refused', reason: 'invalid_name', advice });
  });

  it('proposes the known field with a value that it accepts', async () => {
    const { report } = await check(exampleText({ metrics: { acc: 97.3, accuracy: undefined } }));
    expect(fieldOf(report, 'acc').advice).toBe(
      'is an extra metric: write accuracy if you mean that. It must be from 0 to 1: write 0.973',
    );
  });

  it('proposes the known field for a number that is text, too', async () => {
    const text = exampleText({
      metrics: { lr: '1e-3', acc: '95%', learning_rate: undefined, accuracy: undefined },
    });
    const { report } = await check(text);
    expect(fieldOf(report, 'lr')).toMatchObject({
      verdict: 'converted',
      advice: 'is text: write 0.001 without quotes. It is also read as learning_rate: write learning_rate',
    });
    expect(fieldOf(report, 'acc').advice).toBe('is a percentage as text: write 0.95 as accuracy');
  });

  it('may begin an epoch at batch 0, which shows how batches are counted only after an earlier epoch', async () => {
    const first = await check(exampleText({ metrics: { epoch: 1, batch_number: 9 } }));
    const text = exampleText({ metrics: { epoch: 2, batch_number: 0 } });
    const [alone, next] = [await check(text), await check(text, { run: first.run })];
    expect(fieldOf(alone.report, 'batch_number').advice).toBe(
      'is the first batch of its epoch: a bridge that has seen an earlier epoch counts batches from 0',
    );
    expect(fieldOf(next.report, 'batch_number').advice).toBe(
      'is the first batch of its epoch, so batches are counted from 0',
    );
  });

  it('shows the metric of the field that another name stands for', async () => {
    const { report } = await check(
      exampleText({ metrics: { 'Training Loss': 1, training_loss: undefined } }),
    );
    expect(fieldOf(report, 'Training Loss')).toMatchObject({
      reason: 'preset',
      metric: { name: 'ml.training.loss', instrument: 'gauge' },
    });
    for (const name of ['loss', 'train_loss']) {
      const nan = await check(exampleText({ metrics: { [name]: Number.NaN, training_loss: undefined } }));
      expect(fieldOf(nan.report, name)).toMatchObject({
        verdict: 'accepted',
        reason: 'not_finite',
        advice: expect.stringMatching(/^is read as training_loss: write training_loss\. It is not finite: /),
        metric: { name: 'ml.training.loss' },
      });
    }
  });

  it('proposes the known field where a name clashes with it', async () => {
    const { report } = await check(
      exampleText({ metrics: { loss: 'low', epoch_total: 1, epoch: undefined } }),
    );
    expect(fieldOf(report, 'epoch_total').advice).toBe(
      'would overwrite ml_training_epoch_total: write epoch if you mean that, or use another name',
    );
  });

  it('may have times without a zone, which are read as UTC', async () => {
    const { report } = await check(
      exampleText({ top: { timestamp: '2025-10-23T10:30:45.5' }, job: { start_time: '2025-10-23 10:15' } }),
    );
    expect(fieldOf(report, 'timestamp')).toMatchObject({
      verdict: 'accepted',
      advice: 'has no time zone: read as 2025-10-23T10:30:45.500Z',
    });
    expect(fieldOf(report, 'start_time').advice).toBe('has no time zone: read as 2025-10-23T10:15:00.000Z');
    expect(report.notes).toEqual([]);
  });

  it.each(['2025-10-23T10:30:45Z', '2025-10-23T10:30+02', '2025-10-23 10:30:45.5 -0700', 1_761_215_445])(
    'says nothing about the zone of %j',
    async (start_time) => {
      const { report } = await check(exampleText({ job: { start_time } }));
      expect(fieldOf(report, 'start_time').advice).toBeUndefined();
    },
  );

  it('warns of a time in the future', async () => {
    const future = new Date(Date.now() + 7 * 3_600_000).toISOString();
    const { report } = await check(exampleText({ job: { start_time: future.replace('Z', '') } }));
    expect(report.notes).toEqual([
      `job_metadata.start_time is ${future}, 7 hours in the future: write the time with its zone, or check the clock.`,
    ]);
  });
});

describe('a file that cannot', () => {
  it('says where in it', async () => {
    const { report } = await check(
      '{\r\n\t"training_metrics": {\r\n\t\t"epoch": 3\r\n\t\t"accuracy": 1\r\n\t}\r\n}',
    );
    expect(report).toMatchObject({
      status: 'unusable',
      problems: [
        { message: 'a comma is missing here', at: { line: 3, column: 13, text: '  "epoch": 3', caret: 12 } },
      ],
      fields: [],
    });
  });

  it('is one that the user of the bridge may not read', async () => {
    const file = join(openFolder(), 'current.json');
    replaceFile(file, exampleText());
    chmodSync(file, 0o600);
    const { report } = await check(undefined, { file });
    expect(report).toMatchObject({ status: 'unusable', file: { access: { status: 'closed', uid: 65_532 } } });
    const torn = await check('{"a": 1', { file });
    expect(torn.report.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('half-written'),
      expect.stringContaining('cannot read the file'),
    ]);
    replaceFile(file, exampleText());
    chmodSync(file, 0o600);
    const own = await check(undefined, { file, uid: process.getuid?.() ?? 0 });
    expect(own.report).toMatchObject({ status: 'usable', file: { access: { status: 'readable' } } });
  });
});
