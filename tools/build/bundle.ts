// Bundles the bridge into dist/: main.cjs is all the sidecar loads, and each further command is a file of its own beside it.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  // Older than what we run on, because `node dist/main.cjs` is started with whatever Node is there.
  target: 'node20',
  legalComments: 'none',
  // The image is built without tsconfig.json, and its bundle is the same as any other.
  tsconfigRaw: {},
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** A command is a file, `commands/NAME.ts`, or a folder, `commands/NAME/command.ts`. */
const commandOf = (path: string) => /commands\/([\w-]+)/.exec(path)?.[1] ?? path;

/** The command line, which main.ts loads on demand, stays a file of its own, so that the sidecar does not load it. */
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

/** What a package imports dynamically would be split off as well, used or not; `onlyKnownExternals` sees that none is. */
const packagesStayWhole: Plugin = {
  name: 'packages-stay-whole',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ kind, importer, path }) =>
      kind === 'dynamic-import' && importer.includes('node_modules') ? { path, external: true } : undefined,
    );
  },
};

/** Pino's transports write logs from threads of their own, and load what threads need even where there is none. */
const withoutLogThreads: Plugin = {
  name: 'without-log-threads',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/]pino[\\/]lib[\\/]transport\.js$/ }, () => ({
      contents: "module.exports = () => { throw new Error('log transports are not in the bundle') }",
    }));
  },
};

/**
 * The ES modules of the OTLP exporters load gRPC through createRequire, which a bundle cannot follow: it would fail at the
 * first export, without a word. A plain require() it can.
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
 * The sidecar is a client of gRPC and connects to one address at a time. The rest of the package, a fifth of it, would
 * be loaded for nothing.
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
 * Channelz keeps statistics of every connection and call for a service that nobody here serves. The exporters do not let
 * through the option that turns it off. It alone needs ordered maps, and the reader of .proto files.
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

/** Fails the build where the sidecar could come to miss at run time what was left out of it. */
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
 * Builds files that share what several of them need; what they import dynamically becomes a file of its own. Only
 * bundles of ES modules are split so; the result is turned into CommonJS, which starts faster and can be kept compiled.
 */
async function buildSplit(options: SplitOptions): Promise<Metafile> {
  const { metafile, outputFiles } = await build({ ...common, ...options });
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, {
      platform: 'node',
      target: common.target,
      format: 'cjs',
      // require() in place of import(), which would load Node's loader of ES modules and bypass the compile cache.
      supported: { 'dynamic-import': false },
      // V8 keeps the text of what it runs. Names stay, and lines are short, for the sake of stack traces.
      minifyWhitespace: true,
      minifySyntax: true,
      lineLimit: 120,
    });
    writeFileSync(path, code);
  }
  return metafile;
}

/** Bundles a program with the sidecar in it, the sidecar itself unless another is named, into a folder that is there. */
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
    ],
  });
  onlyKnownExternals(metafile);
  return metafile;
}

/** The further commands share nothing with the sidecar, so that its files hold nothing that only they need. */
function buildCommands(outdir: string): Promise<Metafile> {
  const entries = readdirSync(`${root}src/commands`, { withFileTypes: true }).filter(
    ({ name }) => name !== 'run.ts',
  );
  const paths = entries.map((it) => `src/commands/${it.isDirectory() ? `${it.name}/command.ts` : it.name}`);
  return buildSplit({
    entryPoints: paths.map((path) => ({ in: path, out: commandOf(path) })),
    outdir,
    plugins: [withoutLogThreads, exportersLoadBundledGrpc, grpcWithoutChannelz],
  });
}

/** Writes the bundle into a folder, and leaves nothing else in it. Gives esbuild's account of each file's inputs. */
export async function bundle(
  outdir: string,
): Promise<{ readonly sidecar: Metafile; readonly commands: Metafile }> {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const [sidecar, commands] = await Promise.all([buildSidecar(outdir), buildCommands(outdir)]);
  const packages = bundledPackages(root, { ...commands.inputs, ...sidecar.inputs });
  writeFileSync(join(outdir, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(root, packages));
  writeFileSync(join(outdir, 'sbom.cdx.json'), billOfMaterials(root, packages));
  return { sidecar, commands };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(`${root}dist`);
