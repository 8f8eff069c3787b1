import { chmodSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { trainingMetrics } from '../../../src/catalogue/metrics.ts';
import type { FieldReport } from '../../../src/commands/check/field.ts';
import type { Report } from '../../../src/commands/check/report.ts';
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
      advice: 'is one metric too many of your own: raise MAX_EXTRA_METRICS, which is 2',
    });
    const none = await check(text, { environment: { MAX_EXTRA_METRICS: '0' } });
    expect(fieldOf(none.report, 'a').advice).toContain('MAX_EXTRA_METRICS=0');
  });

  it.each([
    [{ train_loss: 1, training_loss: undefined }, 'train_loss', 'training_loss'],
    [{ training_los: 1, training_loss: undefined }, 'training_los', 'training_loss'],
    [{ lr: 1, learning_rate: undefined }, 'lr', 'learning_rate'],
    [{ batchNumber: 1, batch_number: undefined }, 'batchNumber', 'batch_number'],
  ])('may hold a known field under another name: %j', async (metrics, field, meant) => {
    const { report } = await check(exampleText({ metrics }));
    expect(fieldOf(report, field)).toMatchObject({
      verdict: 'accepted',
      advice: `is a metric of its own: write ${meant} if that is meant`,
    });
  });

  it('proposes a known field where the name of an extra clashes with it', async () => {
    const { report } = await check(exampleText({ metrics: { loss: 1, training_loss: undefined } }));
    expect(fieldOf(report, 'loss').advice).toBe(
      'would replace ml_training_loss: write training_loss if that is meant, or choose another name',
    );
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
