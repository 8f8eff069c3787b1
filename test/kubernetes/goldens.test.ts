import { describe, expect, it } from 'vitest';
import { injectManifest, removeFromManifest } from '../../src/kubernetes/inject.ts';
import { kinds } from '../../src/kubernetes/kinds.ts';
import { goldens } from './goldens.ts';

function injected(input: string, options: (typeof goldens)[number]['options']): string {
  const injection = injectManifest(input, options);
  if (injection.status === 'invalid') throw new Error(injection.problems.join('\n'));
  return injection.text;
}

/** The input, but for one that has the bridge already. */
function withoutBridge(input: string): string {
  const removal = removeFromManifest(input);
  return removal.status === 'ok' ? removal.text : '';
}

describe.each(goldens)('$name', ({ input, options, path }) => {
  it('is what it was', async () => {
    await expect(injected(input, options)).toMatchFileSnapshot(path);
  });

  it('does not change when it is injected again', () => {
    const once = injected(input, options);
    expect(injected(once, options)).toBe(once);
  });

  it('comes back byte by byte when the bridge is removed', () => {
    expect(removeFromManifest(injected(input, options))).toMatchObject({
      status: 'ok',
      text: withoutBridge(input),
      notes: [],
    });
  });
});

it('has a golden for every kind', () => {
  const seen = goldens.flatMap(({ input }) =>
    [...input.matchAll(/"?kind"?: "?(\w+)/g)].map(([, kind]) => kind),
  );
  expect(new Set(seen)).toEqual(
    new Set([...seen, ...kinds.map(({ kind }) => kind), 'TrainJob', 'List', 'AppWrapper']),
  );
});
