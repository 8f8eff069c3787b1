import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse, parseDocument, stringify } from 'yaml';
import type { EditedManifest } from '../../src/kubernetes/edit-resources.ts';
import { injectManifest, removeFromManifest } from '../../src/kubernetes/inject.ts';
import { type InjectOptions, injectDefaults } from '../../src/kubernetes/options.ts';
import { maybe, resource } from './pod-arbitraries.ts';

/** Comments and blank lines between lines, as deep as the line below; none within a text of several lines. */
const commented = fc
  .tuple(
    resource,
    fc.record({ indent: fc.constantFrom(2, 4), indentSeq: fc.boolean() }),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('# why', '#- name: off', '')), { maxLength: 6 }),
  )
  .map(([value, style, comments]) => {
    const printed = stringify(value, { ...style, lineWidth: 0 });
    const lines = printed.split('\n');
    for (const [seed, comment] of comments) {
      const at = seed % lines.length;
      const indent = /^ */.exec(lines[at] ?? '')?.[0] ?? '';
      const changed = lines.toSpliced(at, 0, comment && indent + comment);
      if (same(changed.join('\n'), printed)) lines.splice(0, lines.length, ...changed);
    }
    return lines.join('\n');
  });

function same(text: string, other: string): boolean {
  const document = parseDocument(text);
  return document.errors.length === 0 && JSON.stringify(document) === JSON.stringify(parseDocument(other));
}

const options: fc.Arbitrary<InjectOptions> = fc
  .record({
    mode: fc.constantFrom('native' as const, 'container' as const),
    trace: maybe(
      fc.constantFrom(
        { traceparent: '00-0af7-01', tracestate: undefined },
        { traceparent: '00-0af7-01', tracestate: 'a=b' },
      ),
    ),
  })
  .map((given) => ({ ...injectDefaults, ...given }));

const runs = { numRuns: 150 };

const expectedProblem = /has no container$|which is on no volume: mount one|both set METRICS_FILE_PATH/;

/** The result for a pod that can have the bridge. Others are skipped, if the reason is one of a few. */
function accepted(injection: EditedManifest): Extract<EditedManifest, { status: 'ok' }> {
  if (injection.status === 'invalid')
    for (const problem of injection.problems) expect(problem).toMatch(expectedProblem);
  fc.pre(injection.status === 'ok');
  return injection;
}

it('injected twice is injected once', () => {
  fc.assert(
    fc.property(commented, options, (manifest, given) => {
      const once = accepted(injectManifest(manifest, given));
      const again = injectManifest(once.text, given);
      expect(again.status === 'ok' && again.text).toBe(once.text);
    }),
    runs,
  );
});

it('injected and removed is what it was, byte by byte', () => {
  fc.assert(
    fc.property(commented, options, (manifest, given) => {
      const injection = accepted(injectManifest(manifest, given));
      expect(injection.text).not.toBe(manifest);
      expect(removeFromManifest(injection.text)).toMatchObject({ status: 'ok', text: manifest, notes: [] });
    }),
    runs,
  );
});

it('written as flow, injected and removed is what it was, byte by byte', () => {
  fc.assert(
    fc.property(resource, options, fc.constantFrom(toFlow, toJson, toCompactJson), (value, given, print) => {
      const manifest = print(value);
      const injection = accepted(injectManifest(manifest, given));
      expect(removeFromManifest(injection.text)).toMatchObject({ status: 'ok', text: manifest });
    }),
    runs,
  );
});

const toFlow = (value: unknown) => stringify(value, { collectionStyle: 'flow' });
const toCompactJson = (value: unknown) => JSON.stringify(value);
const toJson = (value: unknown) => JSON.stringify(value, null, 2);

it('leaves everything that was there', () => {
  fc.assert(
    fc.property(commented, options, (manifest, given) => {
      const injection = accepted(injectManifest(manifest, given));
      expect(contains(parse(injection.text), parse(manifest))).toBe(true);
      const lines = injection.text.split('\n');
      for (const line of manifest.split('\n').filter((it) => it.trim().startsWith('#')))
        expect(lines).toContain(line);
    }),
    runs,
  );
});

/** Whether all of a value is found in another: the members of a map, the items of a list in their order. */
function contains(whole: unknown, part: unknown): boolean {
  if (part === null) return true;
  if (Array.isArray(part)) {
    if (!Array.isArray(whole)) return false;
    let from = 0;
    return part.every((item) => {
      const at = whole.findIndex((it, index) => index >= from && contains(it, item));
      from = at + 1;
      return at >= 0;
    });
  }
  if (typeof part !== 'object') return whole === part;
  return Object.entries(part).every(([key, value]) =>
    contains((whole as Record<string, unknown>)?.[key], value),
  );
}
