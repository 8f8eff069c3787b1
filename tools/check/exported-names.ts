// Fails if two files of src/ export the same name: a name has one meaning in the whole of src/.
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const declaration =
  /^export (?:declare )?(?:async )?(?:abstract )?(?:function\*?|const|let|class|interface|type|enum) ([\w$]+)/gm;

/**
 * The exported names that several files declare, each with its files in order. Overloads, and a type and a value of the
 * same name, are in one file. A re-export declares nothing.
 */
export function repeatedNames(
  sources: Readonly<Record<string, string>>,
): ReadonlyMap<string, readonly string[]> {
  const files = new Map<string, Set<string>>();
  for (const [path, text] of Object.entries(sources))
    for (const [, name = ''] of text.matchAll(declaration))
      files.set(name, (files.get(name) ?? new Set()).add(path));
  return new Map([...files].filter(([, paths]) => paths.size > 1).map(([name, paths]) => [name, [...paths]]));
}

/** Every TypeScript file of src/, by its path from the root of the repository. */
export function readSources(): Readonly<Record<string, string>> {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const paths = globSync('src/**/*.ts', { cwd }).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(`${cwd}${path}`, 'utf8')]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, paths] of repeatedNames(readSources())) {
    console.error(`${name} is exported by ${paths.join(' and ')}: give one of them another name`);
    process.exitCode = 1;
  }
}
