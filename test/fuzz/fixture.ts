import { writeFileSync } from 'node:fs';

/** Files that are read one after the other, in base64, because few of them are text. */
export interface Fixture {
  /** What was wrong, once. */
  readonly problem?: string;
  readonly files: readonly string[];
}

export const fixtureFolder = new URL('./fixtures/', import.meta.url);

/** What was found becomes a fixture, which `npm test` replays. */
export function keepFixture(name: string, files: readonly Buffer[], problem: string): void {
  const file = new URL(`${name}.json`, fixtureFolder);
  const fixtures = [
    { problem, files: files.map((bytes) => bytes.toString('base64')) },
  ] satisfies readonly Fixture[];
  writeFileSync(file, `${JSON.stringify(fixtures)}\n`);
  console.error(`${problem}\n  kept in ${file.pathname}`);
}
