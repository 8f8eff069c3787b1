import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { query, queryOne } from './prometheus.ts';
import { createStack, type Stack } from './stack.ts';
import { createTrainingFile, type TrainingFile } from './training-file.ts';

const bridge = 'otel-metrics-bridge';
const soon = { timeout: 60_000, interval: 200 };

let stack: Stack;
let file: TrainingFile;
let jobId: string;
let count = 0;

beforeAll(async () => {
  stack = await createStack('file');
  await stack.upBackend();
});

afterAll(() => stack.down());

beforeEach(async () => {
  count += 1;
  // Series of the test before are still there for a minute.
  jobId = `file-${count}`;
  file = await createTrainingFile(jobId);
});

afterEach(() => file.remove());

const start = (environment: Readonly<Record<string, string>>) =>
  stack.up([bridge], { services: { [bridge]: { environment, volumes: file.mount } } });

const loss = () => queryOne(stack, `ml_training_loss{job_id="${jobId}"}`);

const logged = (level: string, message: string) =>
  vi.waitFor(
    async () => expect(await stack.logs(bridge)).toContainEqual(expect.objectContaining({ level, message })),
    soon,
  );

const lossBecomes = (value: number) => vi.waitFor(async () => expect(await loss()).toBe(value), soon);

describe('the metrics file', () => {
  it('may not exist yet: a debug line, and the bridge keeps polling', async () => {
    await start({ COLLECTION_INTERVAL: '0.2', LOG_LEVEL: 'debug' });
    await logged('debug', 'Metrics file does not exist yet');
    await vi.waitFor(
      async () =>
        expect(
          await queryOne(stack, 'max(ml_bridge_snapshots_total{outcome="missing"})'),
          'it is said once and polled often',
        ).toBeGreaterThan(3),
      soon,
    );
    const lines = await stack.logs(bridge);
    expect(lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);

    await file.write({ training_loss: 1.25, epoch: 1, batch_number: 1 });
    await lossBecomes(1.25);
  });

  it('may be malformed: an error line, and the next good one is taken', async () => {
    await file.write({ training_loss: 2.5, epoch: 1, batch_number: 1 });
    await start({ COLLECTION_INTERVAL: '0.2' });
    await lossBecomes(2.5);

    await file.writeRaw('{"timestamp": "2025-10-23T10:30:45.123456+00:00", "training_metr');
    await logged('error', 'Metrics file is malformed');
    expect((await stack.container(bridge)).State.Status).toBe('running');

    await file.write({ training_loss: 2.25, epoch: 1, batch_number: 2 });
    await lossBecomes(2.25);
    await logged('info', 'Metrics file is readable again');
  });

  it('has its last value in Prometheus after docker compose stop', async () => {
    await file.write({ training_loss: 0.75, epoch: 1, batch_number: 1 });
    // The next poll is an hour away: what is written now, only the one at the end can see.
    await start({ COLLECTION_INTERVAL: '3600' });
    await lossBecomes(0.75);

    await file.write({ training_loss: 0.5, epoch: 1, batch_number: 2 });
    await stack.compose('stop', bridge);
    expect((await stack.container(bridge)).State, 'ended by itself, in time').toMatchObject({
      Status: 'exited',
      ExitCode: 0,
    });
    await lossBecomes(0.5);
    expect(await queryOne(stack, `ml_training_batch_number_total{job_id="${jobId}"}`)).toBe(2);
    expect(await queryOne(stack, `ml_training_run_state{job_id="${jobId}",state="ended"}`)).toBe(1);
    expect(await queryOne(stack, `ml_training_run_state{job_id="${jobId}",state="running"}`)).toBe(0);
  });

  it('that grows stale has no values in Prometheus after metric_expiration, but an age', async () => {
    await file.write({ training_loss: 3.5, epoch: 1, batch_number: 1 });
    await start({ COLLECTION_INTERVAL: '0.2', STALE_AFTER: '10', OTEL_METRIC_EXPORT_INTERVAL: '2000' });
    await lossBecomes(3.5);
    await vi.waitFor(
      async () => expect(await query(stack, `ml_training_loss{job_id="${jobId}"}`)).toEqual([]),
      { timeout: 120_000, interval: 1_000 },
    );
    const batches = `ml_training_batch_number_total{job_id="${jobId}"}`;
    const [counter] = await query(stack, batches);
    expect(counter?.value).toBe(1);
    const age = `ml_bridge_file_age_seconds{instance="${counter?.labels.instance}"}`;
    expect(await queryOne(stack, age)).toBeGreaterThan(60);
  });
});
