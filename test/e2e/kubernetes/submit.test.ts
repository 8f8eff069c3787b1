import { beforeAll, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { jaegerApi } from '../jaeger.ts';
import { forget, forwarded, jobEnded, namespace, startStack } from './cluster.ts';
import { kubectl } from './command.ts';
import { inject } from './inject.ts';
import { shippedAs, withoutBridge } from './jobs.ts';
import { submitted } from './submitted.ts';

beforeAll(async () => {
  await startStack();
  // The Collector tries Jaeger again only after a while, where it was up first.
  // Without kubectl nothing is created, and the span is sent all the same.
  const passesOn = async () => !(await submitted(job('probe'), {})).stderr.includes('spans are lost');
  await until(passesOn, 'the Collector to pass traces on to Jaeger', 60_000);
});

const job = (name: string) =>
  `apiVersion: batch/v1\nkind: Job\nmetadata: {name: "${name}", namespace: ${namespace}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}}\n`;

interface Pod {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: Readonly<
    Record<'containers' | 'initContainers', readonly { readonly env: readonly Variable[] }[]>
  >;
}
interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

/** The header a container finds in its environment, be it by way of the pod's annotation. */
function headerOf({ metadata }: Pod, { env }: { readonly env: readonly Variable[] }): string | undefined {
  const variable = env.find(({ name }) => name === 'TRACEPARENT');
  const annotation = /^metadata\.annotations\['(.*)'\]$/.exec(variable?.valueFrom?.fieldRef?.fieldPath ?? '');
  return annotation === null ? variable?.value : metadata.annotations[annotation[1] ?? ''];
}

it('a submitted Job completes, with the trace of its submission in its pod, which its run goes on with', async () => {
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
  for (const pod of items) {
    const { metadata, spec } = pod;
    expect(metadata.annotations).toMatchObject({ 'opentelemetry.io/traceparent': header });
    const containers = [...spec.containers, ...spec.initContainers];
    expect(containers.map((container) => headerOf(pod, container))).toEqual([header, header]);
  }
  const spans = await forwarded('jaeger', 16686, (url) =>
    jaegerApi(url).trace(traceId, ['trainer.submit_job', 'training.run', 'training.epoch']),
  );
  const run = spans.find(({ name }) => name === 'training.run');
  expect(run).toMatchObject({
    parentSpanId: span?.spanId,
    tags: { 'training.run.state': 'completed' },
  });
});

it('what the API server refuses is refused by submit, with its words and exit code', async () => {
  const { code, stderr } = await submitted(job('Not a name'));
  expect(code).toBe(1);
  expect(stderr).toMatch(/"Not a name" is invalid/);
});
