import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forget, jobEnded } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { createNamespace, serve, train } from './scripted.ts';

const namespace = 'ml-heartbeat-test';
const monitor = 'heartbeat-monitor';

/** Prints what it is asked, a line each. */
const monitorScript = `
require('node:http').createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; }).on('end', () => {
    console.log([request.method, request.url, body].join(' ').trim());
    response.end('OK');
  });
}).listen(8080);
process.on('SIGTERM', () => process.exit());`;

/** Writes a step twice a second for this long, then what it ends with, and waits until the bridge has read that. */
const trainingScript = (jobId: string, seconds: number, last: string, exitCode: number) => `
const fs = require('node:fs');
const write = (step, loss, more) => {
  const job = '"job_metadata": {"job_id": "${jobId}", "start_time": "2026-01-01T00:00:00Z"}';
  const metrics = '"training_metrics": {"global_step": ' + step + ', "training_loss": ' + loss + '}';
  fs.writeFileSync('/shared/metrics/next', '{' + [job, metrics, ...more].join(', ') + '}', { mode: 0o644 });
  fs.renameSync('/shared/metrics/next', '/shared/metrics/current.json');
};
let step = 0;
const timer = setInterval(() => {
  if (++step <= ${seconds * 2}) return write(step, 1 / step, []);
  clearInterval(timer);
  ${last};
  setTimeout(() => process.exit(${exitCode}), 5000);
}, 500);`;

beforeAll(async () => {
  await createNamespace(namespace);
  await serve({ name: monitor, namespace, script: monitorScript });
  await kubectl('-n', namespace, 'wait', '--for=condition=Ready', `pod/${monitor}`, '--timeout=60s');
});
afterAll(() => forget('namespace', namespace));

/** Trains with a heartbeat whose address is in a Secret, and gives what the monitor was asked about it. */
async function heartbeatsOf(name: string, seconds: number, last: string, exitCode = 0) {
  const url = `http://${monitor}.${namespace}:8080/${name}`;
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData: { url } };
  await apply(JSON.stringify(secret));
  await train({ name, namespace, script: trainingScript(name, seconds, last, exitCode) }, [
    { name: 'HEARTBEAT_URL', valueFrom: { secretKeyRef: { name, key: 'url' } } },
    { name: 'COLLECTION_INTERVAL', value: '1' },
  ]);
  const { status } = await jobEnded(name, 180_000, namespace);
  expect(status).toBe(exitCode === 0 ? 'Complete' : 'Failed');
  const log = await kubectl('-n', namespace, 'logs', `job/${name}`, '-c', 'otel-metrics-bridge');
  expect(log).toContain('ml-metrics-bridge started');
  expect(log).not.toContain(monitor);
  const asked = await kubectl('-n', namespace, 'logs', monitor);
  return asked.split('\n').filter((line) => line.split(' ')[1]?.startsWith(`/${name}`));
}

describe.concurrent('the monitor is told', () => {
  it('a start, a beat a minute and a success of a run that completes, without any Collector', async () => {
    const asked = await heartbeatsOf('steady', 70, 'write(step, 0.1, [\'"status": "completed"\'])');
    expect(asked).toEqual(['GET /steady/start', 'GET /steady', 'GET /steady', 'GET /steady']);
  });

  it('a fail with the reason of a loss that becomes NaN, and nothing after it', async () => {
    const asked = await heartbeatsOf('diverged', 5, "write(step, 'NaN', [])");
    expect(asked).toEqual([
      'GET /diverged/start',
      'GET /diverged',
      'POST /diverged/fail training_loss is NaN',
    ]);
  });

  it('a fail with the error of a run that fails', async () => {
    const error =
      '"status": "failed", "error": {"type": "OutOfMemoryError", "message": "CUDA out of memory"}';
    const asked = await heartbeatsOf('failed', 5, `write(step, 0.1, ['${error}'])`, 1);
    expect(asked).toEqual([
      'GET /failed/start',
      'GET /failed',
      'POST /failed/fail The run failed: OutOfMemoryError: CUDA out of memory',
    ]);
  });
});
