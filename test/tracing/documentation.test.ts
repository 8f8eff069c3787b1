import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { replaceSections } from '../../tools/generate/sections.ts';
import { documentedTables } from './support/tables.ts';

const document = fileURLToPath(new URL('../../docs/tracing-library.md', import.meta.url));

it('the tables of the documentation are those of the code (vitest -u rewrites them)', async () => {
  await expect(replaceSections(readFileSync(document, 'utf8'), documentedTables)).toMatchFileSnapshot(
    document,
  );
});
