import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { injectManifest } from '../../../src/kubernetes/inject.ts';
import { injectDefaults, type Mode } from '../../../src/kubernetes/options.ts';
import { template } from '../../kubernetes/pod-arbitraries.ts';
import { repository, run } from './command.ts';

interface PodTemplate {
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Every pod template in a value, at whatever depth. */
function templatesIn(value: unknown): readonly PodTemplate[] {
  if (typeof value !== 'object' || value === null) return [];
  const { spec } = value as { spec?: { containers?: unknown } };
  return Array.isArray(spec?.containers) ? [value as PodTemplate] : Object.values(value).flatMap(templatesIn);
}

const podOf = ({ metadata, spec }: PodTemplate, name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, name, generateName: undefined, namespace: undefined },
  // What the template of a Deployment may not say, a Pod may leave out.
  spec: { ...spec, serviceAccountName: undefined },
});

/** The names of the pods that the API server refuses, with its reasons. */
async function refusals(pods: readonly ReturnType<typeof podOf>[]): Promise<ReadonlyMap<string, string>> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods });
  const script = 'kubectl apply -f - --dry-run=server --validate=strict 2>&1 || true';
  const output = await run('sh', ['-c', script], list);
  const accepted = new Set(
    [...output.matchAll(/^pod\/(\S+) created \(server dry run\)/gm)].map(([, it]) => it),
  );
  return new Map(
    pods
      .filter(({ metadata }) => !accepted.has(metadata.name))
      .map(({ metadata: { name } }) => [name, output]),
  );
}

/** Pods before and after inject; the API server accepts what it accepted before. */
async function expectAccepted(pairs: readonly (readonly [PodTemplate, PodTemplate])[]): Promise<void> {
  const name = (index: number) => `pod-${index}`;
  const before = await refusals(pairs.map(([pod], index) => podOf(pod, name(index))));
  const valid = pairs.flatMap(([, pod], index) => (before.has(name(index)) ? [] : [podOf(pod, name(index))]));
  expect(valid.length).toBeGreaterThan(pairs.length * 0.9);
  expect([...(await refusals(valid))]).toEqual([]);
}

const injected = (manifest: string, mode: Mode): string | undefined => {
  const injection = injectManifest(manifest, { ...injectDefaults, mode });
  return injection.status === 'ok' ? injection.text : undefined;
};
const templatesOf = (manifest: string) =>
  parseAllDocuments(manifest, { merge: true }).flatMap((document) => templatesIn(document.toJS()));

const modes: readonly Mode[] = ['native', 'container'];

it.each(modes)(
  'the API server accepts the pods of the corpus in mode %s, whatever their kind',
  async (mode) => {
    const folder = `${repository}test/fixtures/manifests/`;
    const pairs = readdirSync(folder)
      .filter((file) => /\.(yaml|json)$/.test(file))
      .flatMap((file) => {
        const manifest = readFileSync(folder + file, 'utf8');
        const result = injected(manifest, mode);
        if (result === undefined) return [];
        const after = templatesOf(result);
        return templatesOf(manifest).map((pod, index) => [pod, after[index] ?? pod] as const);
      });
    expect(pairs.length).toBeGreaterThan(60);
    await expectAccepted(pairs);
  },
);

it.each(modes)('the API server accepts generated pods with the bridge in mode %s', async (mode) => {
  const pods: readonly unknown[] = fc.sample(template, { numRuns: 150, seed: 26 });
  const pairs = (pods as readonly PodTemplate[]).flatMap((pod) => {
    const result = injected(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod }), mode);
    return result === undefined ? [] : templatesOf(result).map((it) => [pod, it] as const);
  });
  await expectAccepted(pairs);
});
