import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface BundledPackage {
  /** Where it is installed, relative to the root of the repository. */
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** SPDX identifier. */
  readonly license: string;
}

/** The packages of a bundle, from the absolute paths of its modules, sorted by folder. */
export function bundledPackages(root: string, modules: readonly string[]): readonly BundledPackage[] {
  const folders = modules.flatMap(
    (path) => relative(root, path).match(/^.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? [],
  );
  return [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    return { folder, name, version, license };
  });
}
