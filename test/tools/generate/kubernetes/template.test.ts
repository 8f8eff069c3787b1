import { describe, expect, it } from 'vitest';
import { templateOf } from '../../../../tools/generate/kubernetes/template.ts';

const source = 'base/jaeger.yaml';
const condition = '.Values.jaeger.enabled';

describe('a template made from a manifest', () => {
  it('has every document under its condition, and keeps the comments', () => {
    const text = templateOf({ source, condition });
    expect(text.match(/\{\{- if \.Values\.jaeger\.enabled \}\}\n---\n/g)).toHaveLength(2);
    expect(text.match(/\{\{- end \}\}$/gm)).toHaveLength(2);
    expect(text).toContain('# Would set JAEGER_PORT and the like.');
  });

  it('has the labels of the release', () => {
    const text = templateOf({ source, condition });
    expect(text.match(/include "ml-metrics-bridge.labels"/g)).toHaveLength(2);
    expect(text.match(/include "ml-metrics-bridge.selectors"/g)).toHaveLength(1);
    expect(text).not.toContain('{app.kubernetes.io/component');
  });

  it('is refused if a value would replace nothing', () => {
    const replacements = [{ pattern: /imagePolicy: .*/, by: '' }];
    expect(() => templateOf({ source, condition, replacements })).toThrow(/nothing that matches/);
  });

  it('is refused if a document has no condition', () => {
    const condition = { names: '.Values.networkPolicies.enabled' };
    expect(() => templateOf({ source: 'base/network-policies.yaml', condition })).toThrow(
      /no condition for default-deny/,
    );
  });
});
