import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documentBlocks } from './support/document-blocks.ts';

const readme = readFileSync('README.md', 'utf8');
const block = (...lines: readonly string[]) => ['text', ...lines, '```', 'text'].join('\n');

describe('the README', () => {
  it('begins with the two commands and has at most 200 lines', () => {
    expect(readme).toMatch(/^# .*\n\n```sh\nnpm ci && npm run demo .*\nnpm ci && npm test .*\n```\n/);
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it.each(['laptop', 'compose', 'compose-down', 'kubernetes', 'inject'])('has commands for %s', (name) => {
    expect(documentBlocks(readme, name)).not.toEqual([]);
  });
});

describe('marked blocks of a document', () => {
  it('are those of the name, in their order, with the line of the marker', () => {
    const document = [
      block('<!-- test: one -->', '```sh', 'first', 'second'),
      block('<!-- test: other -->', '```sh', 'not this'),
      block('<!-- test: one until "Ready \\d" -->', '```sh', 'third'),
    ].join('\n');
    expect(documentBlocks(document, 'one')).toEqual([
      { line: 2, script: 'first\nsecond' },
      { line: 15, script: 'third', until: /Ready \d/ },
    ]);
  });

  it.each([
    ['no block has the name', block('<!-- test: other -->', '```sh', 'a'), 'no block is marked'],
    ['a marker is misspelled', block('<!-- test: one, until x -->', '```sh', 'a'), 'line 2: expected <!--'],
    ['no block follows', block('<!-- test: one -->', '', '```sh', 'a'), 'line 2: expected a block'],
    ['the block is not sh', block('<!-- test: one -->', '```json', '{}'), 'line 2: expected a block'],
    ['a failure would be passed over', block('<!-- test: one -->', '```sh', 'a && b'), 'a line of its own'],
  ])('are refused where %s', (_, document, message) => {
    expect(() => documentBlocks(document, 'one')).toThrow(message);
  });
});
