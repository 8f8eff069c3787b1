import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runStarted } from './jaeger.ts';
import { ask, type Labels, query, queryOne } from './prometheus.ts';
import { createStack, type MetricsFile, type Stack, services } from './stack.ts';

/** Three epochs of ten seconds: each is longer than two scrapes. */
const job = { WRITE_INTERVAL: '0.5', TOTAL_EPOCHS: '3', BATCHES_PER_EPOCH: '20' };
const writes = 61;
const ourJob = '{job_id="training-job-001"}';

/** The contract: field of the file, name in Prometheus. */
const gauges = [
  ['training_loss', 'ml_training_loss'],
  ['validation_loss', 'ml_validation_loss'],
  ['accuracy', 'ml_training_accuracy'],
  ['learning_rate', 'ml_training_learning_rate'],
  ['gpu_utilization', 'ml_training_gpu_utilization'],
] as const;
const histograms = [
  ['processing_time_ms', 'ml_training_processing_time_milliseconds'],
  ['samples_per_second', 'ml_training_samples_per_second'],
] as const;
const counters = ['ml_training_batch_number_total', 'ml_training_epoch_total'] as const;
const names = [
  ...gauges.map(([, name]) => name),
  ...counters,
  ...histograms.flatMap(([, name]) => [`${name}_bucket`, `${name}_sum`, `${name}_count`]),
];

let stack: Stack;

beforeAll(async () => {
  const bridge = { COLLECTION_INTERVAL: '0.2' };
  stack = await createStack('stack', {
    services: {
      'mock-ml-job': { environment: job },
      'otel-metrics-bridge': { environment: bridge },
      'second-job': {
        image: 'ml-metrics-bridge:latest',
        command: ['simulate'],
        environment: { ...job, JOB_ID: 'training-job-001' },
        volumes: ['second-volume:/shared/metrics'],
      },
      'second-bridge': {
        image: 'ml-metrics-bridge:latest',
        environment: { ...bridge, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel-collector:4317' },
        volumes: ['second-volume:/shared/metrics:ro'],
      },
    },
    volumes: { 'second-volume': {} },
  });
  await stack.up(services);
  await vi.waitFor(() => queryOne(stack, `ml_training_loss${ourJob}`), { timeout: 60_000, interval: 200 });
});

afterAll(() => stack.down());

/** The series of the contract at this moment, as text that can be compared. */
async function series(): Promise<readonly string[]> {
  const samples = await query(stack, `{__name__=~"${names.join('|')}",job_id="training-job-001"}`);
  const text = (labels: Labels) =>
    JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  return samples.map(({ labels }) => text(labels)).sort();
}

async function completed(service: string): Promise<void> {
  const { State } = await stack.container(service);
  expect(State).toMatchObject({ Status: 'exited', ExitCode: 0 });
}

describe('docker compose up', () => {
  it('has series whose labels stay the same through three epochs', async () => {
    const inEpoch: (readonly string[])[] = [];
    for (const epoch of [1, 2, 3]) {
      await vi.waitFor(
        async () => expect(await queryOne(stack, `ml_training_epoch_total${ourJob}`)).toBe(epoch),
        { timeout: 60_000, interval: 200 },
      );
      inEpoch.push(await series());
    }
    expect(inEpoch[0]?.length).toBeGreaterThan(names.length);
    expect(inEpoch[1]).toEqual(inEpoch[0]);
    expect(inEpoch[2]).toEqual(inEpoch[0]);
  });

  it('has the run in Jaeger while it is under way', async () => {
    expect((await runStarted(stack))?.tags).toMatchObject({ 'training.job_id': 'training-job-001' });
  });

  it('answers with the values in the file, under the names of the contract', async () => {
    await vi.waitFor(() => completed('mock-ml-job'), { timeout: 60_000, interval: 500 });
    const file = (await stack.metricsFile()).training_metrics;
    await vi.waitFor(
      async () => {
        for (const [field, name] of gauges)
          expect(await queryOne(stack, name + ourJob), name).toBe(file[field]);
        expect(await queryOne(stack, `ml_training_epoch_total${ourJob}`)).toBe(3);
        expect(await queryOne(stack, `ml_training_batch_number_total${ourJob}`)).toBe(60);
        expect(
          await queryOne(stack, `ml_training_run_state{job_id="training-job-001",state="completed"}`),
        ).toBe(1);
      },
      { timeout: 30_000, interval: 500 },
    );
    for (const [, name] of histograms) {
      const count = await queryOne(stack, `${name}_count${ourJob}`);
      expect(count, 'one measurement per snapshot, not one a poll').toBeLessThanOrEqual(writes);
      expect(count).toBeGreaterThan(writes / 2);
      expect(await queryOne(stack, `${name}_bucket{job_id="training-job-001",le="+Inf"}`)).toBe(count);
    }
    const known = await ask<readonly string[]>(stack, '/label/__name__/values', { 'match[]': ourJob });
    expect(known).toEqual(expect.arrayContaining(names));
  });

  it('tells which is a gauge, a counter, a histogram', async () => {
    const metadata = await ask<Record<string, { type: string }[]>>(stack, '/metadata');
    for (const [, name] of gauges) expect(metadata[name]?.[0]?.type, name).toBe('gauge');
    for (const name of counters) expect(metadata[name]?.[0]?.type, name).toBe('counter');
    for (const [, name] of histograms) expect(metadata[name]?.[0]?.type, name).toBe('histogram');
  });

  it('says who sent a series, and nothing that changes with time', async () => {
    const [sample] = await query(stack, `ml_training_loss${ourJob}`);
    expect(sample?.labels).toEqual({
      __name__: 'ml_training_loss',
      job: 'ml-metrics-bridge',
      instance: expect.stringMatching(/^[0-9a-f-]{36}$/),
      job_id: 'training-job-001',
      model_name: 'resnet-50',
      dataset: 'imagenet',
    });
  });

  it('evaluates every alert rule', async () => {
    type Rule = { name: string; health: string; lastError?: string };
    const rules = async () =>
      (await ask<{ groups: { rules: Rule[] }[] }>(stack, '/rules')).groups.flatMap((group) => group.rules);
    await vi.waitFor(
      async () => {
        const all = await rules();
        expect(all.length).toBeGreaterThan(0);
        expect(all.filter(({ health }) => health !== 'ok')).toEqual([]);
      },
      { timeout: 30_000, interval: 500 },
    );
  });

  it('keeps two bridges with the same job_id apart', async () => {
    await stack.up(['second-job', 'second-bridge']);
    await vi.waitFor(() => completed('second-job'), { timeout: 90_000, interval: 500 });
    const files: readonly MetricsFile[] = [
      await stack.metricsFile(),
      await stack.metricsFile('second-bridge'),
    ];
    const sorted = (values: readonly (number | undefined)[]) => values.map(Number).sort((a, b) => a - b);
    await vi.waitFor(
      async () => {
        const losses = await query(stack, `ml_training_loss${ourJob}`);
        expect(new Set(losses.map(({ labels }) => labels.instance)).size).toBe(2);
        expect(sorted(losses.map(({ value }) => value))).toEqual(
          sorted(files.map((file) => file.training_metrics.training_loss)),
        );
      },
      { timeout: 30_000, interval: 500 },
    );
    const resets = await query(stack, `resets(ml_training_batch_number_total${ourJob}[10m])`);
    expect(resets.map(({ value }) => value)).toEqual([0, 0]);
  });
});
