import { readFileSync } from 'node:fs';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { runtimesNamedIn } from '../../src/kubernetes/runtime.ts';
import { traceManifest } from '../../src/kubernetes/trace-manifest.ts';
import { contextWith, traceparent } from '../tracing/support/trace-headers.ts';
import { goldens } from './goldens.ts';

const here = contextWith();

function traced(manifest: string, from = here): string {
  const edited = traceManifest(manifest, from);
  if (edited.status === 'invalid') throw new Error(edited.problems.join('\n'));
  return edited.text;
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}
interface Template {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
}

const isTemplate = (value: unknown): value is Template =>
  Array.isArray((value as { spec?: { containers?: unknown } } | null)?.spec?.containers);

/** Every pod in a document, at whatever depth. */
function templatesIn(value: unknown): readonly Template[] {
  if (typeof value !== 'object' || value === null) return [];
  return isTemplate(value) ? [value] : Object.values(value).flatMap(templatesIn);
}
const podsIn = (manifest: string) =>
  parseAllDocuments(manifest).flatMap((document) => templatesIn(document.toJS()));

const header = (container: Container) => container.env?.find(({ name }) => name === 'TRACEPARENT')?.value;
const isMesh = ({ name }: Container) => /istio|linkerd/.test(name);
const runtimes = /trainingruntime$/;

describe('the trace of a manifest', () => {
  const jobs = goldens.filter(({ name }) => !runtimes.test(name) && !name.startsWith('trainjob'));

  it.each(jobs.map(({ name, input }) => [name, input]))('is in every pod of %s', (_name, input) => {
    const text = traced(input);
    const pods = podsIn(text);
    expect(pods.length).toBeGreaterThan(0);
    for (const { metadata, spec } of pods) {
      expect(metadata?.annotations).toMatchObject({ 'opentelemetry.io/traceparent': traceparent });
      for (const container of spec.containers.filter((it) => !isMesh(it)))
        expect(header(container)).toBe(traceparent);
    }
    expect(traced(text), 'a second time changes nothing').toBe(text);
  });

  it.each(jobs.map(({ name, input }) => [name, input]))(
    'without a span leaves %s byte by byte',
    (_name, input) => {
      expect(traced(input, ROOT_CONTEXT)).toBe(input);
    },
  );

  it('reaches a bridge that is a native sidecar', () => {
    const [pod] = podsIn(traced(podWithBridge));
    expect(pod?.spec.initContainers?.map(header)).toEqual([traceparent]);
  });

  it('goes into what a TrainJob has for its trainer', () => {
    const input = goldens.find(({ name }) => name === 'trainjob')?.input ?? '';
    const job = parse(traced(input));
    expect(header(job.spec.trainer)).toBe(traceparent);
    expect(job.metadata.annotations).toMatchObject({ 'opentelemetry.io/traceparent': traceparent });
  });

  describe('of a TrainJob', () => {
    const input = goldens.find(({ name }) => name === 'trainjob')?.input ?? '';
    const patched = (manifest: string, withBridge: readonly string[], all = withBridge) => {
      const edited = traceManifest(manifest, here, () => ({ all, withBridge, withSidecar: withBridge }));
      if (edited.status === 'invalid') throw new Error(edited.problems.join('\n'));
      return edited;
    };
    const annotations = { 'opentelemetry.io/traceparent': traceparent };
    const template = { spec: { template: { metadata: { annotations } } } };

    it('is a patch of the replicated jobs that have the bridge', () => {
      const { text, notes } = patched(input, ['launcher', 'node']);
      expect(parse(text).spec.runtimePatches).toEqual([
        {
          manager: 'ml-metrics-bridge.dev/trace',
          trainingRuntimeSpec: {
            template: {
              spec: {
                replicatedJobs: [
                  { name: 'launcher', template },
                  { name: 'node', template },
                ],
              },
            },
          },
        },
      ]);
      expect(header(parse(text).spec.trainer)).toBe(traceparent);
      expect(notes).toEqual([]);
      expect(patched(text, ['launcher', 'node']).text, 'a second time changes nothing').toBe(text);
    });

    const golden = goldens.find(({ name }) => name === 'trainjob-status');
    const withStatus = readFileSync(golden?.path ?? '', 'utf8');

    it('is beside the patch of the status, which has a note if the runtime is not known', () => {
      const { text, notes } = patched(withStatus, ['node']);
      expect(parse(text).spec.runtimePatches).toHaveLength(2);
      expect(notes).toEqual([]);
      const note = expect.stringMatching(/ml-metrics-bridge.dev\/status is for the replicated job "node"/);
      expect(traceManifest(withStatus, here)).toMatchObject({ notes: expect.arrayContaining([note]) });
    });

    it.each([
      ['does not exist', ['workers'], ['workers']],
      ['has no bridge', ['workers'], ['workers', 'node']],
      ['has no bridge, as all others', [], ['node']],
    ])('is a problem if the replicated job of the status patch %s', (_what, withBridge, all) => {
      const problem = /ml-metrics-bridge.dev\/status is for the replicated job "node".*would never run/;
      expect(() => patched(withStatus, withBridge, all)).toThrow(problem);
      expect(() => patched(withStatus, withBridge, all)).toThrow(
        withBridge.length > 0 ? '(the bridge is in workers)' : '(none has the bridge)',
      );
    });

    it('is a problem if its own patch is for a replicated job that does not exist', () => {
      const { text } = patched(input, ['node']);
      expect(() => patched(text, ['workers'])).toThrow(
        'spec.runtimePatches of ml-metrics-bridge.dev/trace is for the replicated job "node", which does not exist in the runtime (the bridge is in workers)',
      );
      expect(patched(text, ['workers'], ['node', 'workers']).text, 'the pods of "node" start').toBe(text);
      const reading = traceManifest(text, ROOT_CONTEXT, () => ({
        all: ['workers'],
        withBridge: [],
        withSidecar: [],
      }));
      expect(reading, 'without a span too').toMatchObject({ status: 'invalid' });
    });

    it('is no patch where the runtime has no bridge', () => {
      const { text, notes } = patched(input, []);
      expect(parse(text).spec.runtimePatches).toBeUndefined();
      expect(notes).toEqual([expect.stringContaining("reaches the trainer's environment alone")]);
    });

    it('is beside the patches of others, and never beside another trace', () => {
      const other = (manager: string, more = {}) => ({
        manager,
        trainingRuntimeSpec: { template: { spec: { replicatedJobs: [{ name: 'node', template: more }] } } },
      });
      const withPatch = (patch: object) => {
        const job = parse(input);
        return JSON.stringify({ ...job, spec: { ...job.spec, runtimePatches: [patch] } });
      };
      const managers = (text: string) =>
        parse(text).spec.runtimePatches.map(({ manager }: { manager: string }) => manager);
      const beside = patched(withPatch(other('kueue.x-k8s.io/manager')), ['node']);
      expect(managers(beside.text)).toEqual(['kueue.x-k8s.io/manager', 'ml-metrics-bridge.dev/trace']);
      const traced = patched(withPatch(other('sdk.example/trace', template)), ['node']);
      expect(managers(traced.text)).toEqual(['sdk.example/trace']);
    });
  });

  it('names the runtimes that TrainJobs take their containers from', () => {
    const job = (name: string, runtimeRef: object) =>
      JSON.stringify({
        apiVersion: 'trainer.kubeflow.org/v1alpha1',
        kind: 'TrainJob',
        metadata: { name, namespace: 'ml' },
        spec: { runtimeRef },
      });
    const manifest = [job('a', { name: 'torch' }), job('b', { kind: 'TrainingRuntime', name: 'own' })];
    expect(runtimesNamedIn(manifest.join('\n---\n'))).toEqual([
      { kind: 'ClusterTrainingRuntime', name: 'torch', namespace: 'ml' },
      { kind: 'TrainingRuntime', name: 'own', namespace: 'ml' },
    ]);
  });

  it('is never put into the template of many jobs', () => {
    const runtime = goldens.find(({ name }) => runtimes.test(name))?.input ?? '';
    const job = goldens.find(({ name }) => name === 'job')?.input ?? '';
    const text = traced(`${runtime}---\n${job}`);
    expect(text.startsWith(`${runtime}---\n`)).toBe(true);
    expect(podsIn(text.slice(runtime.length)).length).toBe(1);
    expect(traceManifest(runtime, here)).toMatchObject({ status: 'invalid' });
  });
});

const podWithBridge = `apiVersion: v1
kind: Pod
metadata: {name: train}
spec:
  initContainers:
    - {name: otel-metrics-bridge, restartPolicy: Always}
  containers:
    - {name: trainer}
`;

describe('what is set stays', () => {
  const pod = (env: string, annotations: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {annotations: ${annotations}}\nspec:\n  containers:\n    - {name: a, env: ${env}}\n    - {name: b}\n`;
  const mine = '00-11111111111111111111111111111111-2222222222222222-01';

  it.each([
    `{name: TRACEPARENT, value: ${mine}}`,
    '{name: TRACEPARENT, value: ""}',
    '{name: TRACESTATE, value: a=b}',
  ])('in a container: %s', (variable) => {
    const [{ spec } = { spec: { containers: [] } }] = podsIn(traced(pod(`[${variable}]`, '{}')));
    expect(spec.containers[0]?.env).toEqual(parse(`[${variable}]`));
    expect(spec.containers.slice(1).map(header)).toEqual([traceparent]);
  });

  it.each([`{opentelemetry.io/traceparent: ${mine}}`, '{opentelemetry.io/tracestate: a=b}'])(
    'in the annotations: %s',
    (annotations) => {
      const [edited] = podsIn(traced(pod('[]', annotations)));
      expect(edited?.metadata?.annotations).toEqual(parse(annotations));
    },
  );
});
