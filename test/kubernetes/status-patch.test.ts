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
