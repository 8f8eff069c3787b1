import { expect, it } from 'vitest';
import { newDocument, replaceSections } from '../../../tools/generate/sections.ts';

const sections = { one: 'generated $& one', two: 'generated two' };
const document = newDocument('Title', sections);

it('writes a document that replacing leaves alone', () => {
  expect(replaceSections(document, sections)).toBe(document);
});

it('replaces what is between the markers and nothing else', () => {
  const edited = document
    .replace('# Title', 'Before')
    .replace('generated $& one', 'out of date\n\n| x |')
    .concat('after');
  expect(replaceSections(edited, sections)).toBe(`${document.replace('# Title', 'Before')}after`);
});

it.each([
  ['no markers', 'text'],
  ['no end', '<!-- BEGIN GENERATED one -->'],
  ['the end before the beginning', '<!-- END GENERATED one --><!-- BEGIN GENERATED one -->'],
  ['a section twice', document + document],
])('refuses a document with %s', (_, broken) => {
  expect(() => replaceSections(broken, sections)).toThrow('BEGIN GENERATED one');
});
