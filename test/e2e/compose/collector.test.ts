import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runStarted } from './jaeger.ts';
import { queryOne } from './prometheus.ts';
import { createStack, type Stack } from './stack.ts';
import { createTrainingFile, type TrainingFile } from './training-file.ts';

const bridge = 'otel-metrics-bridge';
const collector = 'otel-collector';
const jobId = 'collector-1';
const stepMs = 100;
const unreachable = 'Collector cannot be reached: snapshots wait and are sent when it is back';
const soon = { timeout: 60_000, interval: 100 };
/** The bridge's default. */
const exportIntervalMs = 15_000;

let stack: Stack;
let file: TrainingFile;
let steps = 0;
let outages = 0;

beforeAll(async () => {
  file = await createTrainingFile(jobId);
  stack = await createStack('collector', {
    services: {
      [bridge]: {
        environment: { COLLECTION_INTERVAL: '0.5' },
        volumes: file.mount,
        ports: ['127.0.0.1:0:13134'],
      },
    },
  });
  await stack.upBackend();
  await stack.up([bridge]);
});

afterAll(async () => {
  await stack.down();
  await file.remove();
});

const polled = (outcome: string) =>
  vi.waitFor(
    async () =>
      expect(await (await fetch(`${healthUrl}/readyz`)).text()).toContain(`polled the file (${outcome})`),
    { timeout: 30_000, interval: 20 },
  );
let healthUrl: string;

/** Writes one step after the other, each only when the one before has been read. */
async function train(count: number): Promise<void> {
  healthUrl = await stack.url(bridge, 13_134);
  for (let i = 0; i < count; i++) {
    if (steps > 0) await polled('unchanged');
    steps += 1;
    await file.write({ training_loss: 1 / steps, epoch: 1, batch_number: steps, processing_time_ms: stepMs });
    await polled('ok');
  }
}

/** What the Collector shows to Prometheus, without the wait for a scrape. */
async function shown(): Promise<string> {
  return (await fetch(`${await stack.url(collector, 8889)}/metrics`)).text();
}

async function bridgeLogged(message: string, times: number): Promise<void> {
  await vi.waitFor(async () => {
    const lines = await stack.logs(bridge);
    expect(lines.filter((line) => line.message === message)).toHaveLength(times);
  }, soon);
}

async function prometheusHasAll(): Promise<void> {
  const name = 'ml_training_processing_time_milliseconds';
  const ours = `{job_id="${jobId}"}`;
  await vi.waitFor(async () => {
    expect(await queryOne(stack, `ml_training_loss${ours}`)).toBe(1 / steps);
    expect(await queryOne(stack, `${name}_count${ours}`)).toBe(steps);
    expect(await queryOne(stack, `${name}_sum${ours}`)).toBe(steps * stepMs);
    expect(await queryOne(stack, `ml_training_batch_number_total${ours}`)).toBe(steps);
  }, soon);
}

describe('a Collector that goes away', () => {
  it.each(['stop', 'kill'])('by docker compose %s costs nothing', async (end) => {
    await train(5);
    await prometheusHasAll();
    // Its span leaves later than the values, and would wait as well where the Collector is gone by then.
    await runStarted(stack);

    await stack.compose(end, collector);
    await train(8);
    const { State, RestartCount } = await stack.container(bridge);
    expect({ status: State.Status, RestartCount }).toEqual({ status: 'running', RestartCount: 0 });
    expect((await fetch(`${healthUrl}/livez`)).status).toBe(200);
    outages += 1;
    // Requests are seconds apart, so the Collector could be back before the first one fails.
    await bridgeLogged(unreachable, outages);

    await stack.compose('start', collector);
    await vi.waitFor(async () => fetch(await stack.url(collector, 13_133)), soon);
    const back = performance.now();
    await vi.waitFor(async () => expect(await shown()).toContain(`} ${1 / steps}`), soon);
    expect(performance.now() - back).toBeLessThan(exportIntervalMs);
    await prometheusHasAll();

    await bridgeLogged('Collector is back', outages);
    const warnings = (await stack.logs(bridge)).filter(({ level }) => level !== 'info');
    expect(new Set(warnings.map(({ message }) => message))).toEqual(new Set([unreachable]));
  });

  it('does not hold up the end of the bridge', async () => {
    await train(1);
    await stack.compose('stop', collector);
    await train(1);
    await stack.compose('stop', bridge);
    expect((await stack.container(bridge)).State, 'not killed after stop_grace_period').toMatchObject({
      Status: 'exited',
      ExitCode: 0,
    });
  });
});
