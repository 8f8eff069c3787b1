// Creates the package that is published. The repository's own package.json is private, because its dependencies, Node
// among them, must not be installed with the package. The bridge is a bundle without dependencies. The tracing library
// uses the OpenTelemetry API and SDK of the program that imports it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { bundle, commonOptions, onlyVersion } from './bundle.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Writes the archive of the package into a folder. Resolves to its path. */
export async function pack(destination: string): Promise<string> {
  const staging = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-pack-'));
  try {
    await stage(staging);
    mkdirSync(destination, { recursive: true });
    const output = execFileSync('npm', ['pack', '--json', '--pack-destination', resolve(destination)], {
      cwd: staging,
    });
    return join(resolve(destination), JSON.parse(output.toString())[0].filename);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Writes the content of the archive into a folder. */
async function stage(folder: string): Promise<void> {
  await bundle(join(folder, 'dist'));
  await library(join(folder, 'dist', 'tracing'));
  declarations(join(folder, 'dist', 'tracing'), join(folder, 'declarations'));
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md'])
    copyFileSync(join(root, file), join(folder, file));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published(), null, 2)}\n`);
}

/** Packages that the tracing library must share with the program, so that both use the same API and SDK. */
const peers = ['api', 'context-async-hooks', 'exporter-trace-otlp-grpc', 'resources', 'sdk-trace'].map(
  (name) => `@opentelemetry/${name}`,
);

/** The entry points of the tracing library, for `import` and for `require`. */
async function library(outdir: string): Promise<void> {
  for (const [format, extension] of [
    ['esm', '.mjs'],
    ['cjs', '.cjs'],
  ] as const) {
    await build({
      ...commonOptions,
      input: ['src/tracing/index.ts', 'src/tracing/node.ts'],
      external: peers,
      plugins: [onlyVersion],
      transform: { target: 'node22.15' },
      output: {
        dir: outdir,
        format,
        entryFileNames: `[name]${extension}`,
        chunkFileNames: `[name]-[hash]${extension}`,
      },
    });
  }
}

/** Their types, once for each module format: a declaration file and its imports have the extension of the format. */
function declarations(outdir: string, emitted: string): void {
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  execFileSync(compiler, ['-p', join(root, 'src', 'tracing', 'tsconfig.json'), '--outDir', emitted]);
  const from = join(emitted, 'tracing');
  const wanted = ['index.d.ts', 'node.d.ts'];
  for (const file of wanted) {
    const text = readFileSync(join(from, file), 'utf8');
    for (const extension of ['mts', 'cts']) {
      const copy = join(outdir, file.replace(/ts$/, extension));
      mkdirSync(dirname(copy), { recursive: true });
      writeFileSync(copy, text.replace(ownModule, `$1.${extension.replace('ts', 'js')}$2`));
    }
    for (const [, module] of text.matchAll(/from '(\.[^']+)\.ts'/g)) {
      const next = relative(from, join(from, dirname(file), `${module}.d.ts`));
      if (next.startsWith('../..'))
        throw new Error(`${file} exports a type of ${module}, which is not published`);
      if (!wanted.includes(next)) wanted.push(next);
    }
  }
  rmSync(emitted, { recursive: true });
}

const ownModule = /(from '\.[^']+)\.ts(')/g;

const repository = 'https://github.com/ml-metrics-bridge/ml-metrics-bridge';

function published(): object {
  const { name, version, description, license, engines } = manifest;
  return {
    name,
    version,
    description,
    license,
    // npm shows from which commit of this repository a release was built.
    repository: { type: 'git', url: `git+${repository}.git` },
    homepage: `${repository}#readme`,
    bugs: `${repository}/issues`,
    keywords: [
      'opentelemetry',
      'otlp',
      'prometheus',
      'kubernetes',
      'machine-learning',
      'training',
      'metrics',
    ],
    engines,
    bin: { [name]: 'dist/main.cjs' },
    exports: {
      './tracing': entry('index'),
      './tracing/node': entry('node'),
      './package.json': './package.json',
    },
    // Ranges, so that the version of the program can be used. From the tested minor version on, because the newest exporter
    // may require an older patch of the SDK than the tested one, and the program must not have two.
    peerDependencies: Object.fromEntries(
      peers.map((name) => [name, `^${manifest.dependencies[name].replace(/\d+$/, '0')}`]),
    ),
    peerDependenciesMeta: Object.fromEntries(peers.map((name) => [name, { optional: true }])),
    files: ['dist', 'CHANGELOG.md'],
  };
}

const entry = (name: string) => ({
  import: { types: `./dist/tracing/${name}.d.mts`, default: `./dist/tracing/${name}.mjs` },
  require: { types: `./dist/tracing/${name}.d.cts`, default: `./dist/tracing/${name}.cjs` },
});

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , first = 'dist', folder] = process.argv;
  // For examples: a lockfile contains the hash of an archive, which changes with every edit, but none of a folder.
  if (first === '--folder' && folder !== undefined) await stage(folder);
  else console.log(await pack(first));
}
