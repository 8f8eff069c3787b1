import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentBlocks, documentFile, markerNames, unmarkedBlocks } from './support/document-blocks.ts';
import { kubernetesBlocks, readmeBlocks } from './support/documented.ts';
import { temporaryFolder } from './support/file.ts';
import { openTerminals } from './support/terminals.ts';

const readme = readFileSync('README.md', 'utf8');
const block = (...lines: readonly string[]) => ['text', ...lines, '```', 'text'].join('\n');

describe('the README', () => {
  it('begins with the two commands and has at most 200 lines', () => {
    expect(readme).toMatch(/^# .*\n\n```sh\nnpm ci && npm run demo .*\nnpm ci && npm test .*\n```\n/);
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it('has no commands that no test runs, but the two at the top, which CI runs', () => {
    expect(markerNames(readme).toSorted()).toEqual(readmeBlocks.toSorted());
    expect(unmarkedBlocks(readme)).toEqual([3]);
  });
});

describe('docs/kubernetes.md', () => {
  it('has no commands that no test runs, or the reason beside them', () => {
    const guide = readFileSync('docs/kubernetes.md', 'utf8');
    expect(markerNames(guide).toSorted()).toEqual(kubernetesBlocks.toSorted());
    expect(unmarkedBlocks(guide)).toEqual([]);
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

  it('may be beside the YAML of a file', () => {
    const document = block('```yaml', 'a: 1', '```', '', '```yaml', '# folder/b.yaml', 'b: 2');
    expect(documentFile(document, 'folder/b.yaml')).toBe('b: 2\n');
    expect(() => documentFile(document, 'c.yaml')).toThrow('# c.yaml');
  });

  it('have a reason where no test runs them', () => {
    const document = [
      block('<!-- test: one -->', '```sh', 'first'),
      block('<!-- not run: an example -->', '```sh', 'second'),
      block('<!-- not run: -->', '```sh', 'third'),
      block('', '```sh', 'fourth'),
    ].join('\n');
    expect(unmarkedBlocks(document)).toEqual([15, 21]);
    expect(markerNames(document)).toEqual(['one']);
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

describe('terminals', () => {
  it('run blocks in their order, and keep what goes on until they are closed', async () => {
    const folder = temporaryFolder();
    const terminals = openTerminals({ folder, environment: { GREETING: 'hello' } });
    await terminals.run([
      { line: 1, script: 'trap "touch closed; exit" INT\necho $GREETING\nsleep 60 & wait', until: /hello/ },
      { line: 2, script: 'test ! -e closed' },
    ]);
    await terminals.close();
    expect(existsSync(join(folder, 'closed'))).toBe(true);
  });

  it.each([
    ['fails', 'echo before\nfalse\necho after'],
    ['fails in a pipe', 'echo before\nfalse | cat'],
    ['ends before it is ready', 'echo before', /never/],
  ])('reject with the output where a command %s', async (_, script, until?: RegExp) => {
    const terminals = openTerminals({ folder: temporaryFolder() });
    await expect(terminals.run([{ line: 7, script, ...(until && { until }) }])).rejects.toThrow(
      /line 7: exit code \d; it printed:\n[\s\S]*before/,
    );
  });
});
