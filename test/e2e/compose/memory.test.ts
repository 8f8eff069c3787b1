import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { queryOne } from './prometheus.ts';
import { createStack, type Stack } from './stack.ts';

const bridge = 'otel-metrics-bridge';

let stack: Stack;

beforeAll(async () => {
  stack = await createStack('memory', {
    services: {
      'mock-ml-job': { environment: { WRITE_INTERVAL: '0.2', BATCHES_PER_EPOCH: '1000' } },
      [bridge]: {
        environment: { COLLECTION_INTERVAL: '0.1' },
        mem_limit: '64m',
        // No swap in place of the memory.
        memswap_limit: '64m',
        // Each check is a second Node under the same limit.
        healthcheck: { interval: '2s' },
      },
    },
  });
  await stack.up(['prometheus', 'mock-ml-job', bridge]);
});

afterAll(() => stack.down());

it('a bridge with 64 MiB still runs', async () => {
  const count = 'ml_training_processing_time_milliseconds_count{job_id="training-job-001"}';
  await vi.waitFor(
    async () => {
      const { RestartCount, State } = await stack.container(bridge);
      expect({ RestartCount, ...State }).toMatchObject({
        RestartCount: 0,
        Status: 'running',
        OOMKilled: false,
      });
      expect(await queryOne(stack, count)).toBeGreaterThan(200);
    },
    { timeout: 120_000, interval: 1_000 },
  );
  expect((await stack.container(bridge)).State.Health?.Status).toBe('healthy');
});
