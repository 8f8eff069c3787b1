import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { allQueries } from '../../../tools/generate/queries.ts';
import { query } from './prometheus.ts';
import { createStack, type Stack, services } from './stack.ts';

/** A run that goes on for longer than the tests, one with each kind of histogram. */
const job = { WRITE_INTERVAL: '0.5', TOTAL_EPOCHS: '100', BATCHES_PER_EPOCH: '20' };
const jobs = ['training-job-001', 'native-histograms'];

let stack: Stack;

beforeAll(async () => {
  stack = await createStack('queries', {
    services: {
      'mock-ml-job': { environment: job },
      'otel-metrics-bridge': { environment: { COLLECTION_INTERVAL: '0.5' } },
      'second-job': {
        image: 'ml-metrics-bridge:latest',
        command: ['simulate'],
        environment: { ...job, JOB_ID: 'native-histograms' },
        volumes: ['second-volume:/shared/metrics'],
      },
      'second-bridge': {
        image: 'ml-metrics-bridge:latest',
        environment: {
          COLLECTION_INTERVAL: '0.5',
          OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel-collector:4317',
          OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
        },
        volumes: ['second-volume:/shared/metrics:ro'],
      },
    },
    volumes: { 'second-volume': {} },
  });
  // Started after the image is built: two services that build one image get in each other's way.
  await stack.up(services);
  await stack.up(['second-job', 'second-bridge']);
});

afterAll(() => stack.down());

const shipped = allQueries().map(({ where, ...rest }) => [where, rest] as const);

describe('every query that is shipped', () => {
  it.each(shipped)('%s', async (_where, { expr, expectData }) => {
    const answer = () => query(stack, expr);
    if (!expectData) await answer();
    else
      await vi.waitFor(async () => expect(await answer()).not.toEqual([]), {
        timeout: 120_000,
        interval: 1_000,
      });
  });
});

it('the quantiles of a panel answer for both kinds of histogram', async () => {
  const quantiles = allQueries().filter(
    ({ where, expr }) => where.startsWith('panel') && expr.includes('histogram_quantile'),
  );
  expect(quantiles.length).toBeGreaterThan(0);
  for (const { where, expr } of quantiles) {
    const answered = async () => new Set((await query(stack, expr)).map(({ labels }) => labels.job_id));
    await vi.waitFor(async () => expect(await answered(), where).toEqual(new Set(jobs)), {
      timeout: 120_000,
      interval: 1_000,
    });
  }
});
