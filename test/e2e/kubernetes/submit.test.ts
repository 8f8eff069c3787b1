import { afterAll, beforeAll, expect, it } from 'vitest';
import { submit } from '../../submit/kubectl.ts';
import { jaegerApi } from '../jaeger.ts';
import { forget, forwarded, jobEnded, namespace, startStack } from './cluster.ts';
import { kubectl } from './command.ts';
import { inject } from './inject.ts';
import { shippedAs, withoutBridge } from './jobs.ts';

beforeAll(() => startStack());
afterAll(() => kubectl('delete', '-k', 'k8s/', '--ignore-not-found', '--timeout=180s'));

/** `submit` with the real kubectl, sending to the Collector of the cluster. */
const submitted = (manifest: string) =>
  forwarded('otel-collector', 4317, (endpoint) =>
    submit({
      args: ['--model', 'resnet-50'],
      input: manifest,
      environment: {
        PATH: process.env.PATH ?? '',
        // Without a home kubectl keeps its cache in the folder it is called in.
        HOME: process.env.HOME ?? '',
        KUBECONFIG: process.env.KUBECONFIG ?? '',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      },
    }),
  );

interface Pod {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: Readonly<
    Record<'containers' | 'initContainers', readonly { readonly env: readonly Variable[] }[]>
  >;
}
interface Variable {
  readonly name: string;
  readonly value?: string;
}

it('a submitted Job completes, with the trace of its submission in its pod', async () => {
  const name = 'submitted';
  await forget('job', name);
  const manifest = await inject(withoutBridge(shippedAs('ml-training-job', name)));
  const { code, stdout, stderr } = await submitted(manifest);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [, traceId = ''] = /^job\.batch\/submitted created\nTrace: (\w+)\n$/.exec(stdout) ?? [];
  const [span] = await forwarded('jaeger', 16686, (url) =>
    jaegerApi(url).trace(traceId, ['trainer.submit_job']),
  );
  expect(span?.tags).toMatchObject({
    'kubeflow.job.name': name,
    'kubeflow.namespace': namespace,
    'gen_ai.request.model': 'resnet-50',
  });
  expect(await jobEnded(name, 120_000)).toEqual({ status: 'Complete' });
  const { items } = JSON.parse(
    await kubectl('-n', namespace, 'get', 'pods', '-l', `job-name=${name}`, '-o', 'json'),
  ) as { items: readonly Pod[] };
  const header = `00-${traceId}-${span?.spanId}-01`;
  expect(items.length).toBe(1);
  for (const { metadata, spec } of items) {
    expect(metadata.annotations).toMatchObject({ 'opentelemetry.io/traceparent': header });
    for (const { env } of [...spec.containers, ...spec.initContainers])
      expect(env).toContainEqual({ name: 'TRACEPARENT', value: header });
  }
});

it('what the API server refuses is refused by submit, with its words and exit code', async () => {
  const manifest = `apiVersion: batch/v1\nkind: Job\nmetadata: {name: "Not a name", namespace: ${namespace}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}\n`;
  const { code, stderr } = await submitted(manifest);
  expect(code).toBe(1);
  expect(stderr).toMatch(/"Not a name" is invalid/);
});
