import { afterAll, beforeAll, expect, it } from 'vitest';
import { forget, jobEnded } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';

const namespace = 'rendezvous';
const name = 'two-pods';

beforeAll(async () => {
  await apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }));
});
afterAll(() => kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--timeout=180s'));

/** Pod 0 waits for a connection; pod 1 connects to it by its name, tries for 40 s and fails then. */
const script = `
const net = require('node:net');
if (process.env.JOB_COMPLETION_INDEX === '0') {
  const server = net.createServer((socket) => { socket.end(); server.close(); }).listen(29500);
} else {
  const connect = () => net.connect(29500, '${name}-0.${name}')
    .on('connect', () => process.exit(0))
    .on('error', (error) => process.uptime() > 40 ? (console.error(error), process.exit(1)) : setTimeout(connect, 500));
  connect();
}`;

/** A headless Service resolves only pods that are ready, as those of most operators do. */
const manifest = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { clusterIP: 'None', selector: { app: name }, ports: [{ port: 29500 }] },
  },
  {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace },
    spec: {
      completions: 2,
      parallelism: 2,
      completionMode: 'Indexed',
      backoffLimit: 0,
      template: {
        metadata: { labels: { app: name } },
        spec: {
          subdomain: name,
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'trainer',
              image: 'ml-metrics-bridge:latest',
              imagePullPolicy: 'IfNotPresent',
              command: ['/nodejs/bin/node', '-e', script],
            },
          ],
        },
      },
    },
  },
]
  .map((it) => JSON.stringify(it, null, 2))
  .join('\n---\n');

it('workers find their master by a headless Service while the bridges are idle by a wrong setting', async () => {
  await forget('job', name, namespace);
  // Changed afterwards, because inject itself refuses such an address.
  const injected = (await inject(manifest)).replace('http://otel-collector:4317', 'not an address');
  expect(injected).toContain('not an address');
  await apply(injected);
  expect(await jobEnded(name, 90_000, namespace)).toEqual({ status: 'Complete' });
});
