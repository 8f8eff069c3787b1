// Bundles the bridge into dist/. The sidecar loads only main.cjs and its chunks. Every other command is a file of its own.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type InputOptions, type OutputChunk, type Plugin } from 'rolldown';
import { thirdPartyNotices } from './notices.ts';
import { bundledPackages } from './packages.ts';
import { billOfMaterials } from './sbom.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Options of every build of this repository. */
export const commonOptions = {
  cwd: root,
  platform: 'node',
  // Does not read tsconfig.json: the image is built without it, and its bundle must be the same.
  tsconfig: false,
  // What cannot be resolved would fail at run time.
  onLog(_level, log) {
    throw new Error(log.message);
  },
} as const satisfies InputOptions;

/** A command is a file, `commands/NAME.ts`, or a folder, `commands/NAME/command.ts`. */
const commandOf = (path: string) => /commands\/([\w-]+)/.exec(path)?.[1] ?? path;

/** Keeps the commands, which main.ts imports dynamically, out of the sidecar's bundle. */
const commandsStayApart: Plugin = {
  name: 'commands-stay-apart',
  resolveId: {
    filter: { id: /^\.\/commands\// },
    handler: (id, _importer, { kind }) =>
      kind === 'dynamic-import' && id !== './commands/run.ts'
        ? { id: `./${commandOf(id)}.cjs`, external: true }
        : null,
  },
};

/** A plugin that changes the text of the modules whose path matches. */
const rewrite = (name: string, id: RegExp, change: (text: string, path: string) => string): Plugin => ({
  name,
  load: { filter: { id }, handler: (path) => change(readFileSync(path, 'utf8'), path) },
});

/** Replaces what must be there: after an update of the package, the build fails rather than loses the change. */
function replaceIn(text: string, search: string, replacement: string): string {
  if (!text.includes(search)) throw new Error(`not found in a package: ${search}`);
  return text.replaceAll(search, replacement);
}

/** Leaves out pino's transports, which write logs in worker threads. The bridge does not use them. */
const withoutLogThreads: readonly Plugin[] = [
  rewrite(
    'without-log-transports',
    /[\\/]node_modules[\\/]pino[\\/]lib[\\/]transport\.js$/,
    () => "module.exports = () => { throw new Error('log transports are not in the bundle') }",
  ),
  rewrite('without-worker-threads', /[\\/]node_modules[\\/]pino[\\/]lib[\\/]tools\.js$/, (text) =>
    replaceIn(text, "const { isMainThread } = require('worker_threads')", 'const isMainThread = true'),
  ),
];

/** `package.json` is imported for the version. Its scripts and dependencies are left out. */
export const onlyVersion: Plugin = rewrite('only-version', /[\\/]package\.json$/, (text, path) => {
  if (path !== join(root, 'package.json')) return text;
  const { version } = JSON.parse(text) as { readonly version: string };
  return JSON.stringify({ version });
});

/** Imports `FILE?raw` as text, as Vite does in tests. */
const rawText: Plugin = {
  name: 'raw-text',
  resolveId: {
    filter: { id: /\?raw$/ },
    handler: (id, importer) => (importer === undefined ? null : join(dirname(importer), id)),
  },
  load: {
    filter: { id: /\?raw$/ },
    handler: (id) => ({
      code: readFileSync(id.slice(0, -'?raw'.length), 'utf8'),
      moduleType: 'text',
    }),
  },
};

/**
 * The ES modules of the OTLP exporters load gRPC through createRequire, which a bundler does not resolve: the first export
 * would fail without a message. It resolves a plain require().
 */
const exportersLoadBundledGrpc = rewrite(
  'exporters-load-bundled-grpc',
  /[\\/]otlp-grpc-exporter-base[\\/]dist[\\/][^_].*\.mjs$/,
  (text) => text.replaceAll('__require("@grpc/grpc-js")', 'require("@grpc/grpc-js")'),
);

/**
 * Leaves out gRPC's server and the load balancers for several addresses, a fifth of the package. The sidecar is a client
 * that connects to one address at a time.
 */
const grpcWithoutServer = (() => {
  const unused = ['server', 'server-credentials', 'server-interceptors', 'orca', 'experimental'];
  const balancers = ['round-robin', 'weighted-round-robin', 'outlier-detection'];
  const names = [...unused, ...balancers.map((name) => `load-balancer-${name}`)].join('|');
  return rewrite(
    'grpc-without-server',
    new RegExp(`[\\\\/]grpc-js[\\\\/]build[\\\\/]src[\\\\/](${names})\\.js$`),
    () => 'exports.setup = () => undefined;',
  );
})();

/**
 * Leaves out channelz: statistics of every connection and call, for a debugging service that the bridge does not offer.
 * The exporters do not pass on gRPC's option that turns it off. Only channelz needs ordered maps and the .proto parser.
 */
const grpcWithoutChannelz = rewrite(
  'grpc-without-channelz',
  /[\\/]grpc-js[\\/]build[\\/]src[\\/]channelz\.js$/,
  () => `
    class Nothing {
      addTrace() {} refChild() {} unrefChild() {} addCallStarted() {} addCallSucceeded() {} addCallFailed() {}
    }
    for (const kind of ['Trace', 'CallTracker', 'ChildrenTracker'])
      exports['Channelz' + kind] = exports['Channelz' + kind + 'Stub'] = Nothing;
    for (const kind of ['Channel', 'Subchannel', 'Server', 'Socket'])
      exports['registerChannelz' + kind] = (name) => ({ kind: kind.toLowerCase(), id: 0, name });
    exports.unregisterChannelzRef = exports.setup = () => {};`,
);

/** Fails the build if a chunk imports something at run time that is not in the bundle. */
function onlyKnownExternals(chunks: readonly OutputChunk[]): void {
  const files = new Set(chunks.map(({ fileName }) => fileName));
  const used = new Set(chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]));
  const unknown = [...used].filter(
    (path) => !isBuiltin(path) && !files.has(path) && !/^\.\/[\w-]+\.cjs$/.test(path),
  );
  if (unknown.length > 0) throw new Error(`not in the bundle, but imported: ${unknown.join(', ')}`);
}

/** Builds entry points with shared chunks, and a chunk for each dynamic import of the bridge. */
async function buildSplit(
  outdir: string,
  input: Readonly<Record<string, string>>,
  plugins: readonly Plugin[],
): Promise<readonly OutputChunk[]> {
  const { output } = await build({
    ...commonOptions,
    input: { ...input },
    plugins: [...plugins],
    // Older than the image's Node, because users start `node dist/main.cjs` with the Node they have.
    transform: { target: 'node20' },
    output: {
      dir: outdir,
      // CommonJS starts faster than ES modules.
      format: 'cjs',
      // One other character would make V8 keep the whole file with two bytes for each.
      charset: 'ascii',
      // require() instead of import(), which would load Node's ES module loader and bypass the compile cache.
      dynamicImportInCjs: false,
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name]-[hash].cjs',
      comments: false,
      // V8 keeps the source text in memory. Names and lines are kept for readable stack traces.
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: false } },
    },
  });
  const chunks = output.filter((it) => it.type === 'chunk');
  onlyKnownExternals(chunks);
  return chunks;
}

/** Bundles the sidecar, or another program that contains it, into an existing folder. */
export function buildSidecar(outdir: string, entryPoint = 'src/main.ts'): Promise<readonly OutputChunk[]> {
  return buildSplit(outdir, { [basename(entryPoint, '.ts')]: entryPoint }, [
    commandsStayApart,
    ...withoutLogThreads,
    exportersLoadBundledGrpc,
    grpcWithoutServer,
    grpcWithoutChannelz,
    onlyVersion,
  ]);
}

/** The other commands share no chunk with the sidecar, so that its files contain nothing that only they need. */
function buildCommands(outdir: string): Promise<readonly OutputChunk[]> {
  const entries = readdirSync(`${root}src/commands`, { withFileTypes: true }).filter(
    ({ name }) => name !== 'run.ts',
  );
  const paths = entries.map((it) => `src/commands/${it.isDirectory() ? `${it.name}/command.ts` : it.name}`);
  return buildSplit(outdir, Object.fromEntries(paths.map((path) => [commandOf(path), path])), [
    ...withoutLogThreads,
    exportersLoadBundledGrpc,
    grpcWithoutChannelz,
    onlyVersion,
    rawText,
  ]);
}

/** The page of `watch --serve` as one file, so that it loads nothing. It is not part of any program's code. */
async function buildPage(outdir: string): Promise<readonly OutputChunk[]> {
  const folder = `${root}src/commands/watch/page`;
  const { output } = await build({
    ...commonOptions,
    platform: 'browser',
    transform: { target: 'es2023' },
    input: `${folder}/page.ts`,
    output: { format: 'iife', minify: true },
    write: false,
  });
  const [chunk] = output;
  const uPlotStyle = readFileSync(`${root}node_modules/uplot/dist/uPlot.min.css`, 'utf8');
  const style = uPlotStyle + readFileSync(`${folder}/page.css`, 'utf8');
  const html = readFileSync(`${folder}/page.html`, 'utf8')
    .replace('/*STYLE*/', () => style)
    // Text in the script must not end it.
    .replace('/*SCRIPT*/', () => chunk.code.replaceAll('</script', '<\\/script'));
  writeFileSync(join(outdir, 'watch-page.html.gz'), gzipSync(html));
  return [chunk];
}

/** Writes the bundle into a folder, which is emptied first. Resolves to the chunks of the sidecar. */
export async function bundle(outdir: string): Promise<readonly OutputChunk[]> {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const [sidecar, commands, page] = await Promise.all([
    buildSidecar(outdir),
    buildCommands(outdir),
    buildPage(outdir),
  ]);
  const modules = [...sidecar, ...commands, ...page].flatMap(({ moduleIds }) => moduleIds);
  const packages = bundledPackages(root, modules);
  writeFileSync(join(outdir, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(root, packages));
  writeFileSync(join(outdir, 'sbom.cdx.json'), billOfMaterials(root, packages));
  return sidecar;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(`${root}dist`);
