import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../../support/file.ts';
import { commandLine } from '../../support/terminal.ts';
import { spanId, traceId, traceparent } from '../../tracing/support/trace-headers.ts';
import { startTraceReceiver } from '../../tracing/support/trace-receiver.ts';
import { standInKubectl, submit } from './kubectl.ts';

const job = `apiVersion: batch/v1
kind: Job
metadata:
  name: train
  namespace: ml
spec:
  template:
    spec:
      containers:
        - name: trainer
          image: train:1
`;
const created = 'job.batch/train created\n';

const templateOf = (manifest: string) => parse(manifest).spec.template;
const headerOf = (manifest: string): string =>
  templateOf(manifest).spec.containers[0].env.find(({ name }: { name: string }) => name === 'TRACEPARENT')
    .value;

describe('a job is created within a trace', () => {
  it('whose context its pods get, and whose id is printed with the link', async () => {
    const receiver = await startTraceReceiver();
    const kubectl = standInKubectl();
    const { code, stdout, stderr } = await submit({
      args: ['-f', '-', '--model', 'llama-3-8b', '--job-type', 'fine-tuning'],
      input: job,
      kubectl,
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        JAEGER_URL: 'http://jaeger:16686/',
        PRINTS: created,
      },
    });
    const [span] = receiver.spans;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `${created}Trace: ${span?.traceId}\nhttp://jaeger:16686/trace/${span?.traceId}\n`,
      stderr: '',
    });
    expect(receiver.spans).toMatchObject([
      {
        name: 'trainer.submit_job',
        parentSpanId: '',
        attributes: {
          'kubeflow.job.name': 'train',
          'kubeflow.job_type': 'fine-tuning',
          'kubeflow.namespace': 'ml',
          'gen_ai.request.model': 'llama-3-8b',
        },
        status: 'unset',
        resource: { 'service.name': 'ml-metrics-bridge-submit' },
      },
    ]);
    expect(kubectl.arguments()).toBe('create -f -');
    const header = `00-${span?.traceId}-${span?.spanId}-01`;
    expect(headerOf(kubectl.manifest())).toBe(header);
    expect(templateOf(kubectl.manifest()).metadata.annotations).toEqual({
      'opentelemetry.io/traceparent': header,
    });
  });

  it('that goes on with the one of the environment', async () => {
    const receiver = await startTraceReceiver();
    const kubectl = standInKubectl();
    const { code } = await submit({
      input: job,
      kubectl,
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        TRACEPARENT: traceparent,
        TRACESTATE: 'vendor=a$(B)',
      },
    });
    expect(code).toBe(0);
    expect(receiver.spans).toMatchObject([{ traceId, parentSpanId: spanId }]);
    expect(headerOf(kubectl.manifest())).toBe(`00-${traceId}-${receiver.spans[0]?.spanId}-01`);
    expect(templateOf(kubectl.manifest()).spec.containers[0].env).toContainEqual({
      name: 'TRACESTATE',
      value: 'vendor=a$$(B)',
    });
  });

  it('under the name that Kubernetes makes, and in the namespace that is asked for', async () => {
    const receiver = await startTraceReceiver();
    const kubectl = standInKubectl();
    const file = join(temporaryFolder(), 'job.yaml');
    writeFileSync(
      file,
      `kind: ConfigMap\napiVersion: v1\n---\n${job.replace('name: train', 'generateName: run-')}`,
    );
    await submit({
      args: ['-n', 'team-a', file],
      kubectl,
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        PRINTS: 'configmap/run created\njob.batch/run-x7k2p created\n',
      },
    });
    expect(kubectl.arguments()).toBe('create --namespace team-a -f -');
    expect(receiver.spans).toMatchObject([
      {
        attributes: {
          'kubeflow.job.name': 'run-x7k2p',
          'kubeflow.job_type': 'Job',
          'kubeflow.namespace': 'team-a',
        },
      },
    ]);
  });
});

describe('--dry-run', () => {
  it('prints the manifest alone, and neither creates nor sends', async () => {
    const receiver = await startTraceReceiver();
    const kubectl = standInKubectl();
    const { code, stdout, stderr } = await submit({
      args: ['--dry-run'],
      input: job,
      kubectl,
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        JAEGER_URL: 'http://jaeger',
        TRACEPARENT: traceparent,
      },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(headerOf(stdout)).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    expect(stdout.replace(/^ *(env|annotations|metadata|- name: TRACE|value: 00|opentelem).*\n/gm, '')).toBe(
      job.replace('metadata:\n', ''),
    );
    expect(kubectl.arguments()).toBeUndefined();
    expect(receiver.spans).toEqual([]);
  });

  it('also where spans would be printed', async () => {
    const { stdout } = await submit({
      args: ['--dry-run'],
      input: job,
      environment: { OTEL_TRACES_EXPORTER: 'console' },
    });
    expect(parse(stdout).kind).toBe('Job');
  });
});

describe('tracing never keeps a job from being created', () => {
  it.each([
    [
      'there is no Collector',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
      /^[^\n]*spans are lost[^\n]*\n$/,
    ],
    ['its address is wrong', { OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://a' }, /^[^\n]*off: [^\n]*ftp[^\n]*\n$/],
    [
      'a variable is wrong',
      { OTEL_TRACES_EXPORTER: 'none', OTEL_TRACES_SAMPLER: 'x' },
      /^[^\n]*SAMPLER is "x"[^\n]*\n$/,
    ],
    [
      'TRACEPARENT is wrong',
      { OTEL_TRACES_EXPORTER: 'none', TRACEPARENT: '00-0' },
      /^[^\n]*TRACEPARENT is "00-0"[^\n]*\n$/,
    ],
    ['it is switched off', { TRACING_ENABLED: 'false' }, /^$/],
  ])('%s', async (_why, environment, said) => {
    const kubectl = standInKubectl();
    const { code, stdout, stderr } = await submit({
      input: job,
      kubectl,
      environment: { PRINTS: created, ...environment },
    });
    expect(code).toBe(0);
    expect(stdout.startsWith(created)).toBe(true);
    expect(stderr).toMatch(said);
    expect(parse(kubectl.manifest()).metadata.name).toBe('train');
  });

  it('a Collector that does not answer is not waited for', async () => {
    const receiver = await startTraceReceiver();
    receiver.answer('hang');
    const { code, stdout, stderr } = await submit({
      input: job,
      kubectl: standInKubectl(),
      // Longer than this test may take.
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_EXPORTER_OTLP_TIMEOUT: '3600000',
        OTEL_BSP_EXPORT_TIMEOUT: '3600000',
        PRINTS: created,
      },
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(created) });
    expect(stderr).toMatch(/^[^\n]*no response from the Collector[^\n]*\n$/);
  });

  it('switched off, the parent is passed on as it is', async () => {
    const kubectl = standInKubectl();
    await submit({
      input: job,
      kubectl,
      environment: { TRACING_ENABLED: 'false', TRACEPARENT: traceparent },
    });
    expect(headerOf(kubectl.manifest())).toBe(traceparent);
  });

  it('not sampled, it says so and gives no link', async () => {
    const kubectl = standInKubectl();
    const { stdout } = await submit({
      input: job,
      kubectl,
      environment: { OTEL_TRACES_SAMPLER: 'always_off', JAEGER_URL: 'http://jaeger' },
    });
    expect(stdout).toMatch(/^Trace: [0-9a-f]{32} \(not sampled\)\n$/);
    expect(headerOf(kubectl.manifest())).toMatch(/-00$/);
  });
});

describe('what kubectl refuses', () => {
  it.each([
    [
      'its exit code and message are passed on',
      { EXITS: '3', COMPLAINS: 'error: forbidden\n' },
      3,
      'error: forbidden',
    ],
    ['one that reads nothing', { EXITS: '1', COMPLAINS: 'no server\n', REFUSES: '1' }, 1, 'no server'],
    ['one that is killed', { DIES: '1' }, 1, 'kubectl ended with signal SIGKILL'],
  ])('%s, and the span says so', async (_how, environment, exitCode, message) => {
    const receiver = await startTraceReceiver();
    const { code, stderr } = await submit({
      // More than a pipe holds, so that writing it fails where nobody reads.
      input: `${job}---\nkind: ConfigMap\napiVersion: v1\ndata:\n  a: ${'x'.repeat(200_000)}\n`,
      kubectl: standInKubectl(),
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...environment },
    });
    expect({ code, stderr }).toEqual({
      code: exitCode,
      stderr: 'COMPLAINS' in environment ? environment.COMPLAINS : '',
    });
    expect(receiver.spans).toMatchObject([
      { status: 'error', statusMessage: message, attributes: { 'error.type': 'KubectlError' } },
    ]);
  });

  it('where there is no kubectl at all', async () => {
    const receiver = await startTraceReceiver();
    const { code, stderr } = await submit({
      input: job,
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint },
    });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'ml-metrics-bridge submit: kubectl cannot be run: it is not in PATH\n',
    });
    expect(receiver.spans).toMatchObject([{ status: 'error' }]);
  });
});

describe('what cannot be submitted is refused before anything happens', () => {
  it.each<[string, readonly string[], string, Record<string, string>, number, RegExp]>([
    ['an unknown option', ['--modle', 'a'], job, {}, 2, /unknown option --modle. Did you mean --model/],
    ['two files', ['-f', 'a', 'b'], job, {}, 2, /expected one FILE, but was given a and b/],
    [
      'a wrong address',
      [],
      job,
      { JAEGER_URL: 'jaeger' },
      2,
      /JAEGER_URL is "jaeger": expected an address such as/,
    ],
    [
      'a file that is not there',
      ['/nowhere/job.yaml'],
      '',
      {},
      1,
      /cannot read \/nowhere\/job.yaml: no such file/,
    ],
    [
      'a kind without pods',
      [],
      'apiVersion: v1\nkind: ConfigMap\n',
      {},
      1,
      /no resource of the manifest runs a pod/,
    ],
    [
      'an unknown kind',
      [],
      'apiVersion: a/v1\nkind: Cake\n',
      {},
      1,
      /document 1 \(Cake\): line 1: kind Cake of a is not known/,
    ],
    [
      'an environment that is none',
      [],
      job.replace('image: train:1', 'env: 3'),
      {},
      1,
      /document 1 \(Job train\): line 10: trainer.env is not a list/,
    ],
    ['wrong YAML', [], 'a: [\n', {}, 1, /document 1, line \d+/],
  ])('%s', async (_what, args, input, environment, exitCode, message) => {
    const receiver = await startTraceReceiver();
    const kubectl = standInKubectl();
    const { code, stdout, stderr } = await submit({
      args,
      input,
      kubectl,
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...environment },
    });
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toMatch(message);
    expect(kubectl.arguments()).toBeUndefined();
    expect(receiver.spans).toEqual([]);
  });
});

describe('a TrainJob', () => {
  const trainJob = (runtimeRef: object) =>
    JSON.stringify({
      apiVersion: 'trainer.kubeflow.org/v1alpha1',
      kind: 'TrainJob',
      metadata: { name: 'train', namespace: 'ml' },
      spec: { runtimeRef },
    });
  const pod = (...initContainers: readonly object[]) => ({
    template: { spec: { template: { spec: { containers: [{ name: 'node' }], initContainers } } } },
  });
  const runtimeWith = (...replicatedJobs: readonly object[]) =>
    JSON.stringify({ kind: 'TrainingRuntime', spec: { template: { spec: { replicatedJobs } } } });
  const bridge = { name: 'otel-metrics-bridge' };
  const submitTrainJob = async (runtime: string, args: readonly string[] = []) => {
    const kubectl = standInKubectl();
    const receiver = await startTraceReceiver();
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      PRINTS: 'trainjob.trainer.kubeflow.org/train created\n',
      RUNTIME: runtime,
    };
    const input = trainJob({ kind: 'TrainingRuntime', name: 'own' });
    const { code, stderr } = await submit({ args, input, kubectl, environment });
    const { spec } = parse(kubectl.manifest());
    const patched = spec.runtimePatches?.[0].trainingRuntimeSpec.template.spec.replicatedJobs;
    return { code, stderr, read: kubectl.read(), patched, env: spec.trainer.env };
  };
  const named = (job: { readonly name: string }) => job.name;

  it('gets the trace by a patch of the replicated jobs whose pods have the bridge in the cluster', async () => {
    const runtime = runtimeWith(
      { name: 'dataset-initializer', ...pod() },
      { name: 'workers', ...pod({ name: 'first' }, bridge) },
    );
    const { code, stderr, read, patched, env } = await submitTrainJob(runtime);
    expect({ code, stderr, read }).toEqual({
      code: 0,
      stderr: '',
      read: 'get trainingruntime.trainer.kubeflow.org own --namespace ml -o json',
    });
    expect(patched.map(named)).toEqual(['workers']);
    const { annotations } = patched[0].template.spec.template.metadata;
    expect(annotations['opentelemetry.io/traceparent']).toBe(env[0].value);
  });

  it('is looked up in the namespace that is given', async () => {
    const { read } = await submitTrainJob(runtimeWith(), ['--namespace', 'other']);
    expect(read).toBe('get trainingruntime.trainer.kubeflow.org own --namespace other -o json');
  });

  it('is not created if a patch is for a replicated job that its runtime does not have', async () => {
    const kubectl = standInKubectl();
    const injected = await commandLine(['inject', '--trainjob-status', '--replicated-job', 'wrong'], {
      input: trainJob({ kind: 'TrainingRuntime', name: 'own' }),
    });
    const environment = { RUNTIME: runtimeWith({ name: 'workers', ...pod(bridge) }) };
    const { code, stderr } = await submit({ input: injected.text, kubectl, environment });
    expect(code).toBe(1);
    expect(stderr).toContain(
      '"wrong", which does not exist or has no bridge as a native sidecar in the runtime (the bridge is in workers)',
    );
    expect(kubectl.arguments()).toBeUndefined();
  });

  it.each([
    ['has no bridge', runtimeWith({ name: 'node', ...pod() }), 'trainingruntime own has no bridge'],
    ['is not there', '', 'trainingruntime own cannot be read: Error from server (NotFound)'],
    ['is no JSON', 'no', 'trainingruntime own cannot be read: kubectl printed no JSON'],
    ['is a list', '[]', 'trainingruntime own has no bridge'],
  ])('is created without a patch if its runtime %s', async (_what, runtime, note) => {
    const { code, stderr, patched, env } = await submitTrainJob(runtime);
    expect({ code, patched }).toEqual({ code: 0, patched: undefined });
    expect(stderr).toContain(note);
    expect(stderr).toContain("the trace reaches the trainer's environment alone");
    expect(env.map(named)).toEqual(['TRACEPARENT']);
  });
});
