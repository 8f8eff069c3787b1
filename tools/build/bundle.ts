// Bundles the bridge into dist/. The sidecar loads only main.cjs and its chunks. Every other command is a file of its own.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild';
import { thirdPartyNotices } from './notices.ts';
import { bundledPackages } from './packages.ts';
import { billOfMaterials } from './sbom.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const common = {
  metafile: true,
  absWorkingDir: root,
  format: 'esm',
  splitting: true,
  write: false,
  outExtension: { '.js': '.cjs' },
  entryNames: '[name]',
  bundle: true,
  platform: 'node',
  // Older than the image's Node, because users start `node dist/main.cjs` with the Node they have.
  target: 'node20',
  legalComments: 'none',
  // Does not read tsconfig.json: the image is built without it, and its bundle must be the same.
  tsconfigRaw: {},
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** A command is a file, `commands/NAME.ts`, or a folder, `commands/NAME/command.ts`. */
const commandOf = (path: string) => /commands\/([\w-]+)/.exec(path)?.[1] ?? path;

/** Keeps the commands, which main.ts imports dynamically, out of the sidecar's bundle. */
const commandsStayApart: Plugin = {
  name: 'commands-stay-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/commands\// }, ({ kind, path }) =>
      kind === 'dynamic-import' && path !== './commands/run.ts'
        ? { path: `./${commandOf(path)}.cjs`, external: true }
        : undefined,
    );
  },
};

/** Without it, dynamic imports inside packages would also become chunks. `onlyKnownExternals` fails if one is needed. */
const packagesStayWhole: Plugin = {
  name: 'packages-stay-whole',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ kind, importer, path }) =>
      kind === 'dynamic-import' && importer.includes('node_modules') ? { path, external: true } : undefined,
    );
  },
};

/** Leaves out pino's transports, which write logs in worker threads. The bridge does not use them. */
const withoutLogThreads: Plugin = {
  name: 'without-log-threads',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/]pino[\\/]lib[\\/]transport\.js$/ }, () => ({
      contents: "module.exports = () => { throw new Error('log transports are not in the bundle') }",
    }));
  },
};

/** `package.json` is imported for the version. Its scripts and dependencies are left out. */
const onlyVersion: Plugin = {
  name: 'only-version',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) => {
      if (path !== `${root}package.json`) return undefined;
      const { version } = JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string };
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** Imports `FILE?raw` as text, as Vite does in tests. */
const rawText: Plugin = {
  name: 'raw-text',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'raw-text',
    }));
    onLoad({ filter: /.*/, namespace: 'raw-text' }, ({ path }) => ({
      contents: readFileSync(path, 'utf8'),
      loader: 'text',
    }));
  },
};

/**
 * The ES modules of the OTLP exporters load gRPC through createRequire, which esbuild does not resolve: the first export
 * would fail without a message. esbuild resolves a plain require().
 */
const exportersLoadBundledGrpc: Plugin = {
  name: 'exporters-load-bundled-grpc',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]otlp-grpc-exporter-base[\\/]dist[\\/][^_].*\.mjs$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        '__require("@grpc/grpc-js")',
        'require("@grpc/grpc-js")',
      ),
    }));
  },
};

/**
 * Leaves out gRPC's server and the load balancers for several addresses, a fifth of the package. The sidecar is a client
 * that connects to one address at a time.
 */
const grpcWithoutServer: Plugin = {
  name: 'grpc-without-server',
  setup({ onLoad }) {
    const unused = ['server', 'server-credentials', 'server-interceptors', 'orca', 'experimental'];
    const balancers = ['round-robin', 'weighted-round-robin', 'outlier-detection'];
    const names = [...unused, ...balancers.map((name) => `load-balancer-${name}`)].join('|');
    onLoad({ filter: new RegExp(`[\\\\/]grpc-js[\\\\/]build[\\\\/]src[\\\\/](${names})\\.js$`) }, () => ({
      contents: 'exports.setup = () => undefined;',
    }));
  },
};

/**
 * Leaves out channelz: statistics of every connection and call, for a debugging service that the bridge does not offer.
 * The exporters do not pass on gRPC's option that turns it off. Only channelz needs ordered maps and the .proto parser.
 */
const grpcWithoutChannelz: Plugin = {
  name: 'grpc-without-channelz',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]grpc-js[\\/]build[\\/]src[\\/]channelz\.js$/ }, () => ({
      contents: `
        class Nothing {
          addTrace() {} refChild() {} unrefChild() {} addCallStarted() {} addCallSucceeded() {} addCallFailed() {}
        }
        for (const kind of ['Trace', 'CallTracker', 'ChildrenTracker'])
          exports['Channelz' + kind] = exports['Channelz' + kind + 'Stub'] = Nothing;
        for (const kind of ['Channel', 'Subchannel', 'Server', 'Socket'])
          exports['registerChannelz' + kind] = (name) => ({ kind: kind.toLowerCase(), id: 0, name });
        exports.unregisterChannelzRef = exports.setup = () => {};`,
    }));
  },
};

/** Fails the build if the sidecar imports something at run time that is not in the bundle. */
function onlyKnownExternals({ outputs }: Metafile): void {
  const used = new Set(
    Object.values(outputs).flatMap((output) =>
      output.imports.filter(({ external }) => external).map(({ path }) => path),
    ),
  );
  const unknown = [...used].filter((path) => !isBuiltin(path) && !/^\.\/[\w-]+\.cjs$/.test(path));
  if (unknown.length > 0) throw new Error(`not in the bundle, but imported: ${unknown.join(', ')}`);
}

type SplitOptions = Pick<BuildOptions, 'entryPoints' | 'outdir' | 'plugins' | 'conditions'>;

/**
 * Builds entry points with shared chunks, and a chunk for each dynamic import. esbuild splits only ES modules, so the
 * result is converted to CommonJS afterwards, which starts faster and can use the compile cache.
 */
async function buildSplit(options: SplitOptions): Promise<Metafile> {
  const { metafile, outputFiles } = await build({ ...common, ...options });
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, {
      platform: 'node',
      target: common.target,
      format: 'cjs',
      // require() instead of import(), which would load Node's ES module loader and bypass the compile cache.
      supported: { 'dynamic-import': false },
      // V8 keeps the source text in memory. Names are kept and lines are short for readable stack traces.
      minifyWhitespace: true,
      minifySyntax: true,
      lineLimit: 120,
    });
    writeFileSync(path, code);
  }
  return metafile;
}

/** Bundles the sidecar, or another program that contains it, into an existing folder. */
export async function buildSidecar(outdir: string, entryPoint = 'src/main.ts'): Promise<Metafile> {
  const metafile = await buildSplit({
    entryPoints: [entryPoint],
    outdir,
    plugins: [
      commandsStayApart,
      packagesStayWhole,
      withoutLogThreads,
      exportersLoadBundledGrpc,
      grpcWithoutServer,
      grpcWithoutChannelz,
      onlyVersion,
    ],
  });
  onlyKnownExternals(metafile);
  return metafile;
}

/** The other commands share no chunk with the sidecar, so that its files contain nothing that only they need. */
function buildCommands(outdir: string): Promise<Metafile> {
  const entries = readdirSync(`${root}src/commands`, { withFileTypes: true }).filter(
    ({ name }) => name !== 'run.ts',
  );
  const paths = entries.map((it) => `src/commands/${it.isDirectory() ? `${it.name}/command.ts` : it.name}`);
  return buildSplit({
    entryPoints: paths.map((path) => ({ in: path, out: commandOf(path) })),
    outdir,
    plugins: [withoutLogThreads, exportersLoadBundledGrpc, grpcWithoutChannelz, onlyVersion, rawText],
  });
}

/** The page of `watch --serve` as one file, so that it loads nothing. It is not part of any program's code. */
async function buildPage(outdir: string): Promise<Metafile> {
  const folder = `${root}src/commands/watch/page`;
  const { metafile, outputFiles } = await build({
    ...common,
    splitting: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2023',
    minify: true,
    outExtension: {},
    entryPoints: [`${folder}/page.ts`],
    outdir,
  });
  const script = outputFiles.find(({ path }) => path.endsWith('.js'))?.text ?? '';
  const uPlotStyle = readFileSync(`${root}node_modules/uplot/dist/uPlot.min.css`, 'utf8');
  const style = uPlotStyle + readFileSync(`${folder}/page.css`, 'utf8');
  const html = readFileSync(`${folder}/page.html`, 'utf8')
    .replace('/*STYLE*/', () => style)
    // Text in the script must not end it.
    .replace('/*SCRIPT*/', () => script.replaceAll('</script', '<\\/script'));
  writeFileSync(join(outdir, 'watch-page.html.gz'), gzipSync(html));
  return metafile;
}

/** Writes the bundle into a folder, which is emptied first. Returns esbuild's metafiles. */
export async function bundle(
  outdir: string,
): Promise<{ readonly sidecar: Metafile; readonly commands: Metafile }> {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const [sidecar, commands, page] = await Promise.all([
    buildSidecar(outdir),
    buildCommands(outdir),
    buildPage(outdir),
  ]);
  const packages = bundledPackages(root, { ...commands.inputs, ...sidecar.inputs, ...page.inputs });
  writeFileSync(join(outdir, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(root, packages));
  writeFileSync(join(outdir, 'sbom.cdx.json'), billOfMaterials(root, packages));
  return { sidecar, commands };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(`${root}dist`);
