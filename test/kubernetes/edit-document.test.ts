import { expect, it } from 'vitest';
import { parseManifest } from '../../src/kubernetes/yaml/documents.ts';
import { editDocument } from '../../src/kubernetes/yaml/edit-document.ts';
import { isManifestMap, type ManifestValue } from '../../src/kubernetes/yaml/values.ts';

function withB(value: ManifestValue): string {
  const text = 'a: 1\n';
  const parsed = parseManifest(text);
  const [document] = parsed.status === 'ok' ? parsed.manifest.documents : [];
  if (document === undefined) throw new Error('not a manifest');
  return editDocument(text, document, (root) => ({ ...(isManifestMap(root) ? root : {}), b: value }));
}

it('refuses a text that would not be read as the edited value', () => {
  expect(withB([null])).toBe('a: 1\nb:\n  - null\n');
  expect(() => withB([undefined])).toThrow('cannot be edited here without changing its meaning');
});
