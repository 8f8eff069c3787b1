import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { commandLine } from '../support/terminal.ts';

const trainJob = (metadata: object, spec: object = {}) =>
  JSON.stringify({
    apiVersion: 'trainer.kubeflow.org/v1alpha1',
    kind: 'TrainJob',
    metadata,
    spec: { runtimeRef: { name: 'torch-distributed' }, ...spec },
  });
const named = { name: 'train', namespace: 'ml' };

const inject = (input: string, ...args: readonly string[]) =>
  commandLine(['inject', '--trainjob-status', ...args], { input });

interface Patch {
  trainingRuntimeSpec: { template: { spec: { replicatedJobs: { name: string }[] } } };
}

const patchedJobs = (manifest: string) =>
  parse(manifest).spec.runtimePatches.map(({ trainingRuntimeSpec: { template } }: Patch) =>
    template.spec.replicatedJobs.map(({ name }) => name),
  );

describe('inject --trainjob-status', () => {
  it('says what the runtime must have', async () => {
    const { code, errors } = await inject(trainJob(named));
    expect(code).toBe(0);
    expect(errors).toContain('no bridge as a native sidecar in it, the TrainJob never runs');
  });

  it.each(['name', 'namespace'])('needs metadata.%s', async (key) => {
    const { code, text, errors } = await inject(trainJob({ ...named, [key]: undefined }));
    expect({ code, text }).toEqual({ code: 1, text: '' });
    expect(errors).toContain(`metadata.${key} is missing`);
  });

  it('turns off the callback of transformers', async () => {
    const { text, errors } = await inject(trainJob(named));
    expect(parse(text).spec.trainer.env).toContainEqual({
      name: 'DISABLE_KUBEFLOW_INTEGRATION',
      value: 'TRUE',
    });
    expect(errors).not.toContain('transformers');
  });

  it.each([
    ['false', true],
    ['true', false],
  ])('keeps DISABLE_KUBEFLOW_INTEGRATION=%s', async (value, warns) => {
    const env = [{ name: 'DISABLE_KUBEFLOW_INTEGRATION', value }];
    const { text, errors } = await inject(trainJob(named, { trainer: { env } }));
    expect(parse(text).spec.trainer.env).toContainEqual(env[0]);
    expect(errors.includes("replace each other's status")).toBe(warns);
  });

  it('keeps a patch of its manager', async () => {
    const patch = { manager: 'ml-metrics-bridge.dev/status', trainingRuntimeSpec: {} };
    const { text } = await inject(trainJob(named, { runtimePatches: [patch] }));
    expect(parse(text).spec.runtimePatches).toEqual([patch]);
  });

  it('can be added to a TrainJob that was injected before, and is removed with it', async () => {
    const manifest = trainJob(named);
    const before = await commandLine(['inject'], { input: manifest });
    const { text } = await inject(before.text);
    expect(parse(text).spec.runtimePatches).toHaveLength(1);
    expect((await commandLine(['inject', '--remove'], { input: text })).text).toBe(manifest);
  });

  it('patches the replicated job that is named', async () => {
    const environment = { TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const args = ['inject', '--trainjob-status', '--trace', '--replicated-job', 'trainer'];
    const { text, errors } = await commandLine(args, { input: trainJob(named), environment });
    expect(patchedJobs(text)).toEqual([['trainer'], ['trainer']]);
    expect(errors).toContain('pods of the replicated job "trainer"');
    expect(errors).toContain('the bridge in the replicated job "trainer"');
  });

  it('says that a patch for another replicated job is kept', async () => {
    const { text } = await inject(trainJob(named));
    const again = await inject(text, '--replicated-job', 'trainer');
    expect(patchedJobs(again.text)).toEqual([['node']]);
    expect(again.errors).toContain('is for the replicated job "node" and is kept');
    expect((await inject(text)).errors).not.toContain('is kept');
  });

  it('refuses the name of a replicated job without a patch for it', async () => {
    const { code, errors } = await commandLine(['inject', '--replicated-job', 'trainer'], {
      input: trainJob(named),
    });
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining('needs --trace or') });
  });

  it('is not for a bridge in a plain container', async () => {
    const { code, errors } = await inject(trainJob(named), '--mode', 'container');
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining('native sidecar') });
  });

  it('says so where there is no TrainJob', async () => {
    const job =
      'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: trainer\n      image: train:1\n';
    expect((await inject(job)).errors).toContain('--trainjob-status has no effect');
  });
});

describe('inject of a TrainJob and its runtime', () => {
  const environment = { TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const runInject = (input: string, ...args: readonly string[]) =>
    commandLine(['inject', ...args], { input, environment });

  const containers = [{ name: 'trainer', image: 'train:1' }];
  const runtime = (jobs: Readonly<Record<string, object>>, more: object = {}) =>
    JSON.stringify({
      apiVersion: 'trainer.kubeflow.org/v1alpha1',
      kind: 'ClusterTrainingRuntime',
      metadata: { name: 'torch-distributed' },
      ...more,
      spec: {
        template: {
          spec: {
            replicatedJobs: Object.entries(jobs).map(([name, metadata]) => ({
              name,
              template: { metadata, spec: { template: { spec: { containers } } } },
            })),
          },
        },
      },
    });
  const initializer = { labels: { 'trainer.kubeflow.org/trainjob-ancestor-step': 'dataset-initializer' } };
  const inOrder = (...documents: readonly string[]) => documents.join('\n---\n');

  it.each([
    ['after', inOrder(trainJob(named), runtime({ node: {} }))],
    ['before', inOrder(runtime({ node: {} }), trainJob(named))],
    [
      'in a List with',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [runtime({ node: {} }), trainJob(named)].map((it) => JSON.parse(it)),
      }),
    ],
  ])('asks the user to check nothing if the runtime stands %s it', async (_where, manifest) => {
    const { code, text, errors } = await runInject(manifest, '--trace', '--trainjob-status');
    expect(code).toBe(0);
    expect(errors).not.toMatch(/never runs|needs the bridge/);
    expect(errors).toContain('correct KUBEFLOW_TRAINER_SERVER_URL');
    const again = await runInject(text, '--trace', '--trainjob-status');
    expect(again.text, 'a second time changes nothing').toBe(text);
    expect((await runInject(text, '--remove')).text).toBe(manifest);
  });

  it.each([
    ['--trace', 'trace', 'does not exist in the runtime'],
    ['--trainjob-status', 'status', 'does not exist or has no bridge as a native sidecar in the runtime'],
  ])('with %s refuses a replicated job that the runtime does not have', async (option, manager, problem) => {
    const manifest = inOrder(trainJob(named), runtime({ workers: {} }));
    const { code, text, errors } = await runInject(manifest, option);
    expect({ code, text }).toEqual({ code: 1, text: '' });
    expect(errors).toContain(
      `document 1 (TrainJob train): line 1: spec.runtimePatches of ml-metrics-bridge.dev/${manager} is for the replicated job "node", which ${problem} (the bridge is in workers): the TrainJob would never run. Name the right one with inject --replicated-job`,
    );
    expect((await runInject(manifest, option, '--replicated-job', 'workers')).code).toBe(0);
  });

  it('refuses a patch of before for a replicated job that the runtime does not have', async () => {
    const { text } = await inject(trainJob(named));
    const { code, errors } = await runInject(inOrder(text, runtime({ workers: {} })));
    expect({ code, errors }).toEqual({ code: 1, errors: expect.stringContaining('inject --remove') });
  });

  it('refuses the status of a replicated job that does not get the bridge', async () => {
    const manifest = inOrder(trainJob(named), runtime({ data: initializer, node: {} }));
    const { code, errors } = await runInject(manifest, '--trainjob-status', '--replicated-job', 'data');
    expect({ code, errors }).toEqual({ code: 1, errors: expect.stringContaining('has no bridge') });
    expect((await runInject(manifest, '--trace', '--replicated-job', 'data')).code).toBe(0);
  });

  it('refuses the status of a bridge that is in a plain container', async () => {
    const { text } = await runInject(runtime({ node: {} }), '--mode', 'container');
    const { code, errors } = await runInject(inOrder(text, trainJob(named)), '--trainjob-status');
    expect({ code, errors }).toEqual({ code: 1, errors: expect.stringContaining('as a native sidecar in') });
  });

  it('still asks for the bridge if no replicated job of the runtime gets it', async () => {
    const { code, errors } = await runInject(inOrder(trainJob(named), runtime({ data: initializer })));
    expect({ code, errors }).toEqual({ code: 0, errors: expect.stringContaining('needs the bridge') });
  });

  const own = (namespace: string | undefined, name = 'torch-distributed') => ({
    kind: 'TrainingRuntime',
    metadata: { name, namespace },
  });
  const ownJob = trainJob(named, { runtimeRef: { kind: 'TrainingRuntime', name: 'torch-distributed' } });

  it.each([
    ['is of the same namespace', own('ml'), 1],
    ['is of another namespace', own('other'), 0],
    ['has no namespace yet', own(undefined), 0],
    ['has another name', own('ml', 'other'), 0],
    ['is a ClusterTrainingRuntime', {}, 0],
  ])('of a TrainingRuntime that %s', async (_what, more, expected) => {
    const { code, errors } = await runInject(inOrder(ownJob, runtime({ workers: {} }, more)), '--trace');
    expect(code).toBe(expected);
    expect(errors).toContain(expected === 1 ? 'would never run' : 'If the runtime has no replicated job');
  });
});
