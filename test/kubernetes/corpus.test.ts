import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { injectManifest, removeFromManifest } from '../../src/kubernetes/inject.ts';
import { injectDefaults, type Mode } from '../../src/kubernetes/options.ts';

const folder = fileURLToPath(new URL('../fixtures/manifests/', import.meta.url));
// Decoded without dropping a byte order mark.
const corpus = readdirSync(folder)
  .filter((file) => /\.(yaml|json)$/.test(file))
  .map((file) => [file, readFileSync(folder + file, 'utf8')] as const);

const template = /line \d+: this is a template of Helm or Go, not a manifest yet: render it first/;
const openBlock = /line \d+: the block of text at the end of the file would gain a line break/;

/** Manifests that are refused, by what is said about them. */
const refused: Readonly<Record<string, RegExp>> = {
  'argo-workflow.yaml': /line 1: kind Workflow of argoproj.io is not known/,
  'go-template.yaml': template,
  'helm-template.yaml': template,
  'helm-template-default.yaml': template,
  'helm-template-if.yaml': template,
  'helm-template-quoted.yaml': template,
  'job-aliased-container.yaml': /line 13: the anchor &mounts is used elsewhere/,
  'pod-several-trainers.yaml': /line 11: containers a and b of spec both set METRICS_FILE_PATH/,
};
const refusedInContainerMode: Readonly<Record<string, RegExp>> = {
  ...refused,
  'job-open-block-scalar.yaml': openBlock,
  'jobset-open-end.yaml': openBlock,
};

/** Manifests whose pods come from elsewhere. */
const withoutPods = ['trainjob.yaml', 'trainjob-without-trainer.yaml', 'rayjob-selects-cluster.yaml'];

it('is large enough to speak of', () => expect(corpus.length).toBeGreaterThanOrEqual(60));

describe.each<[Mode, Readonly<Record<string, RegExp>>]>([
  ['native', refused],
  ['container', refusedInContainerMode],
])('the corpus in mode %s', (mode, problems) => {
  const inject = (manifest: string) => injectManifest(manifest, { ...injectDefaults, mode });

  it.each(corpus.filter(([file]) => file in problems))('%s is refused with the line', (file, manifest) => {
    expect(inject(manifest)).toEqual({
      status: 'invalid',
      problems: [expect.stringMatching(problems[file] ?? '')],
    });
  });

  it.each(corpus.filter(([file]) => !(file in problems)))(
    '%s is injected, once, and restored byte by byte',
    (file, manifest) => {
      const once = inject(manifest);
      if (once.status === 'invalid') throw new Error(once.problems.join('\n'));
      const again = inject(once.text);
      expect(again.status === 'ok' && again.text).toBe(once.text);
      expect(removeFromManifest(once.text)).toMatchObject({ status: 'ok', text: manifest });
      expect(once.text.includes('otel-metrics-bridge')).toBe(!withoutPods.includes(file));
      for (const document of parseAllDocuments(once.text)) expect(document.errors).toEqual([]);
    },
  );
});

it('keeps a byte order mark and the kind of line breaks', () => {
  const text = (file: string) => {
    const injection = injectManifest(readFileSync(folder + file, 'utf8'), injectDefaults);
    return injection.status === 'ok' ? injection.text : '';
  };
  expect(text('job-bom.yaml').startsWith('\uFEFF')).toBe(true);
  for (const file of ['job-crlf.yaml', 'job-no-last-line-break-crlf.yaml'])
    expect(text(file).replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(text('job-no-last-line-break.yaml').endsWith('\n')).toBe(false);
});
