// Software bill of materials of the bundle. `npm sbom` would list all installed packages, three times as many.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BundledPackage } from './packages.ts';

/**
 * A CycloneDX bill of materials of the packages from `bundledPackages`. It has no time and no serial number, so that the
 * build is reproducible. Source: https://cyclonedx.org/docs/1.6/json/
 */
export function billOfMaterials(root: string, packages: readonly BundledPackage[]): string {
  const read = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'));
  const { name, version, license, description } = read('package.json');
  const locked = read('package-lock.json').packages;
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', ...component({ name, version, license }), description } },
    components: packages.map((it) => ({
      type: 'library',
      ...component(it),
      hashes: hashesOf(locked[it.folder]?.integrity),
    })),
  };
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

function component({ name, version, license }: Omit<BundledPackage, 'folder'>) {
  // Source: https://github.com/package-url/purl-spec, type npm: the @ of a scope is escaped.
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { 'bom-ref': purl, name, version, licenses: [{ license: { id: license } }], purl };
}

/** The hash of the package's archive, from the lockfile. */
function hashesOf(integrity = '') {
  const [algorithm, digest = ''] = integrity.split(/-(.*)/);
  if (algorithm !== 'sha512') return [];
  return [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }];
}
