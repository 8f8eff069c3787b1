import { expect, it } from 'vitest';
import { readSources, repeatedNames } from '../../../tools/check/exported-names.ts';

it('src/ exports no name twice', () => {
  const sources = readSources();
  expect(Object.keys(sources)).toContain('src/main.ts');
  expect([...repeatedNames(sources)]).toEqual([]);
});

it.each([
  'export function place() {}',
  'export async function place() {}',
  'export function* place() {}',
  'export const place = 1;',
  'export class place {}',
  'export abstract class place {}',
  'export interface place {}',
  'export type place = 1;',
])('finds the second declaration of a name: %s', (text) => {
  const sources = { 'a.ts': 'export const place = 1;', 'b.ts': `import './a.ts';\n\n${text}\n` };
  expect([...repeatedNames(sources)]).toEqual([['place', ['a.ts', 'b.ts']]]);
});

it('allows overloads, a type beside its value, re-exports, and a name that is not exported', () => {
  const sources = {
    'a.ts': 'export function place(a: 1): 1;\nexport function place(a: 2): 2;\nexport type place = 1;',
    'b.ts': "export { place } from './a.ts';\nexport type { Place } from './a.ts';\nexport * from './a.ts';",
    'c.ts': 'const place = 1;\n// export const place = 1;',
  };
  expect([...repeatedNames(sources)]).toEqual([]);
});
