import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { forget, jobEnded, lastLoss, lastValue, namespace, startStack } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';
import { podOf, shipped, shippedAs, withoutBridge } from './jobs.ts';

let said = '';
beforeAll(async () => {
  said = await startStack();
});
afterAll(() => kubectl('delete', '-k', 'k8s/', '--ignore-not-found', '--timeout=180s'));

const plain = (name: string) => withoutBridge(shippedAs('ml-training-job', name));

async function runs(manifest: string, name: string, timeoutMs = 120_000) {
  await forget('job', name);
  await apply(manifest);
  return jobEnded(name, timeoutMs);
}

/** The init containers of a pod as the API server would create them. */
async function sidecarsOf(pod: string): Promise<unknown> {
  return JSON.parse(await apply(pod, '--dry-run=server', '-o', 'json')).spec.initContainers;
}

/** What the trainer wrote last is what Prometheus has seen last. */
async function expectFinalValue(name: string): Promise<void> {
  const loss = await lastLoss(name);
  expect(loss).toBeGreaterThan(0);
  await until(
    async () => (await lastValue('ml_training_loss', name)) === loss,
    `loss ${loss} of ${name}`,
    30_000,
  );
  expect(await lastValue('ml_training_batch_number_total', name)).toBe(240);
}

/** What `kubectl describe pod` shows as the last message of the bridge. */
async function expectTerminationMessage(name: string, list: 'initContainerStatuses' | 'containerStatuses') {
  const ofBridge = '?(@.name=="otel-metrics-bridge")';
  const message = await until(
    () =>
      kubectl(
        '-n',
        namespace,
        'get',
        'pod',
        '-l',
        `job-name=${name}`,
        '-o',
        `jsonpath={.items[0].status.${list}[${ofBridge}].state.terminated.message}`,
      ),
    `the termination message of ${name}`,
    30_000,
  );
  expect(JSON.parse(message)).toMatchObject({
    state: 'completed',
    jobId: name,
    batches: 240,
    trainingLoss: await lastLoss(name),
    nonFiniteValues: 0,
    undelivered: 0,
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
}

it('comes up with nothing refused or warned of', async () => {
  expect(said).not.toMatch(/warning|violate|forbidden/i);
  const pods = await kubectl(
    '-n',
    namespace,
    'get',
    'events',
    '--field-selector',
    'reason=FailedCreate',
    '-o',
    'name',
  );
  expect(pods).toBe('');
});

// Each waits for a Job of its own.
describe.concurrent('a Job that is not changed but for the sidecar', () => {
  it('completes as it is shipped, and its final value is in Prometheus', async () => {
    expect(await runs(shipped('ml-training-job'), 'ml-training-job', 290_000)).toEqual({
      status: 'Complete',
    });
    await expectFinalValue('ml-training-job');
    const log = await kubectl('-n', namespace, 'logs', 'job/ml-training-job', '-c', 'otel-metrics-bridge');
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ level }) => level)).not.toContain('error');
    expect(lines.at(-1)).toMatchObject({ message: 'ml-metrics-bridge ended', undelivered: 0 });
  }, 330_000);

  it('completes when inject has added the sidecar', async () => {
    const name = 'injected';
    const manifest = await inject(plain(name));
    expect(manifest).toContain('restartPolicy: Always');
    expect(await runs(manifest, name)).toEqual({ status: 'Complete' });
    await expectFinalValue(name);
    await expectTerminationMessage(name, 'initContainerStatuses');
  });

  it('completes in container mode', async () => {
    const name = 'contained';
    expect(await runs(shippedAs('ml-training-job-container', name), name)).toEqual({ status: 'Complete' });
    await expectFinalValue(name);
    await expectTerminationMessage(name, 'containerStatuses');
  });

  it('completes when the admission policy has added the sidecar', async () => {
    const name = 'admitted';
    await kubectl('apply', '-k', 'k8s/admission');
    try {
      const label = 'ml-metrics-bridge/sends: "true"';
      const manifest = plain(name).replace(label, `${label}\n        ml-metrics-bridge/inject: "true"`);
      expect(manifest).not.toContain('otel-metrics-bridge');
      // The API server takes a moment until it knows a new policy.
      await until(
        async () => {
          const pod = await apply(podOf(manifest), '--dry-run=server', '-o', 'json');
          return pod.includes('otel-metrics-bridge');
        },
        'the policy to act',
        30_000,
      );
      const endpoint = 'http://otel-collector.ml-otel-demo:4317';
      expect(await sidecarsOf(podOf(manifest))).toEqual(
        await sidecarsOf(await inject(podOf(plain(name)), '--endpoint', endpoint)),
      );
      expect(await runs(manifest, name)).toEqual({ status: 'Complete' });
      await expectFinalValue(name);
    } finally {
      await kubectl('delete', '-k', 'k8s/admission');
    }
  });

  it('fails when the training fails', async () => {
    const name = 'failing';
    const manifest = (await inject(plain(name))).replace('[simulate]', '[simulate, --fault, crash]');
    expect(await runs(manifest, name)).toEqual({ status: 'Failed' });
    expect(await lastValue('ml_training_loss', name)).toBeGreaterThan(0);
  });

  it.each([
    ['there is no Collector', 'no-collector', 'http://nobody:4317'],
    ['the bridge is configured wrongly', 'wrong-endpoint', 'no address at all'],
  ])('completes when %s', async (_reason, name, endpoint) => {
    // Changed afterwards, because inject itself refuses an address that is none.
    const manifest = (await inject(plain(name))).replace('http://otel-collector:4317', endpoint);
    expect(manifest).toContain(endpoint);
    expect(await runs(manifest, name)).toEqual({ status: 'Complete' });
  });
});
