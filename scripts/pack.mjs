// Packs what is published. The repository's own package.json is private: it brings a Node of its own and every tool of
// development, and none of that may reach whoever installs the package. The bundle needs no dependencies at all.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Writes the package's archive into a folder, and gives its path. */
export async function pack(destination) {
  const staging = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-pack-'));
  try {
    await bundle(join(staging, 'dist'));
    for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md'])
      copyFileSync(join(root, file), join(staging, file));
    writeFileSync(join(staging, 'package.json'), `${JSON.stringify(published(), null, 2)}\n`);
    mkdirSync(destination, { recursive: true });
    const output = execFileSync('npm', ['pack', '--json', '--pack-destination', resolve(destination)], {
      cwd: staging,
    });
    return join(resolve(destination), JSON.parse(output.toString())[0].filename);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function published() {
  const { name, version, description, license, engines } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  return {
    name,
    version,
    description,
    license,
    engines,
    bin: { [name]: 'dist/main.cjs' },
    files: ['dist', 'CHANGELOG.md'],
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await pack(process.argv[2] ?? 'dist'));
