import { beforeAll, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { forget, jobEnded, lastValue, namespace, startStack } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';

beforeAll(() => startStack());

/** A trainer that is not root and writes as a good writer does, with a mode of its choice. */
function job(name: string, mode: string): string {
  const file = {
    job_metadata: { job_id: name, start_time: '2025-10-23T10:15:00Z' },
    training_metrics: { training_loss: 0.5 },
  };
  const script = [
    "const fs = require('node:fs');",
    'process.umask(0);',
    `fs.writeFileSync('/shared/metrics/next', ${JSON.stringify(JSON.stringify(file))}, { mode: 0o${mode} });`,
    "fs.renameSync('/shared/metrics/next', '/shared/metrics/current.json');",
    // Until the bridge has looked.
    'setTimeout(() => undefined, 3000);',
  ].join('\n');
  const container = {
    name: 'trainer',
    image: 'ml-metrics-bridge:latest',
    imagePullPolicy: 'IfNotPresent',
    command: ['/nodejs/bin/node', '-e', script],
    securityContext: { runAsUser: 1000, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const spec = {
    restartPolicy: 'Never',
    securityContext: { runAsNonRoot: true, fsGroup: 2000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
  };
  const metadata = { labels: { 'ml-metrics-bridge/sends': 'true' } };
  return JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: { backoffLimit: 0, template: { metadata, spec } },
  });
}

async function runs(name: string, mode: string) {
  await forget('job', name);
  await apply(await inject(job(name, mode)));
  return jobEnded(name, 120_000);
}

it.each(['640', '644'])(
  'a file of mode %s and of another user arrives, by fsGroup or for all',
  async (mode) => {
    const name = `mode-${mode}`;
    expect(await runs(name, mode)).toEqual({ status: 'Complete' });
    await until(async () => (await lastValue('ml_training_loss', name)) === 0.5, 'the loss', 30_000);
  },
);

it('a file of mode 600 and of another user costs its metrics, is reported, and disturbs nothing else', async () => {
  expect(await runs('mode-600', '600')).toEqual({ status: 'Complete' });
  const log = await kubectl('-n', namespace, 'logs', 'job/mode-600', '-c', 'otel-metrics-bridge');
  expect(log).toMatch(/Permission denied reading metrics file/);
  expect(log).toMatch(/uid 1000, gid 2000, mode 0600/);
  expect(await lastValue('ml_training_loss', 'mode-600')).toBeUndefined();
});
