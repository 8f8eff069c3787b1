import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, it } from 'vitest';
import { freePort } from '../../support/port.ts';
import { until } from '../../support/until.ts';
import { answers, type Program, startProgram } from '../program.ts';
import { query } from './prometheus.ts';
import { createStack, type Stack } from './stack.ts';

const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-host-'));
let stack: Stack | undefined;
let bridge: Program | undefined;

afterAll(async () => {
  await bridge?.stop();
  await stack?.down();
  rmSync(folder, { recursive: true, force: true });
});

it('a bridge on the host reads the file of the job in Docker', async () => {
  chmodSync(folder, 0o777);
  const job = {
    environment: { WRITE_INTERVAL: '0.5', JOB_ID: 'host' },
    volumes: [`${folder}:/shared/metrics`],
  };
  const started = await createStack('host', { services: { 'mock-ml-job': job } }, [
    'docker-compose.host.yaml',
  ]);
  stack = started;
  await started.upBackend();
  await started.up(['otel-collector', 'prometheus', 'mock-ml-job']);
  expect(await started.compose('ps', '--services')).not.toContain('otel-metrics-bridge');

  const health = await freePort();
  bridge = await startProgram({
    program: process.execPath,
    args: [inject('bundle')],
    environment: {
      METRICS_FILE_PATH: join(folder, 'current.json'),
      OTEL_EXPORTER_OTLP_ENDPOINT: await started.url('otel-collector', 4317),
      COLLECTION_INTERVAL: '0.5',
      HEALTH_PORT: String(health),
    },
    isReady: () => answers(`http://127.0.0.1:${health}/livez`),
  });
  const arrived = async () => (await query(started, 'ml_training_loss{job_id="host"}')).length === 1;
  await until(arrived, 'the loss in Prometheus', 60_000);
});
