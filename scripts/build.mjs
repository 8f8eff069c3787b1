// Bundles the bridge into dist/: main.cjs is all the sidecar loads, and each further command is a file of its own beside it.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { thirdPartyNotices } from './notices.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A command that main.ts loads on demand stays a file of its own, so that the sidecar's memory does not hold it. */
const commandsStayApart = {
  name: 'commands-stay-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/commands\/.*\.ts$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: `./${basename(path, '.ts')}.cjs`, external: true } : undefined,
    );
  },
};

/** Writes the bundle into a folder, and leaves nothing else in it. */
export async function bundle(outdir) {
  const commands = readdirSync(`${root}src/commands`).filter((file) => file !== 'run.ts');
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    metafile: true,
    absWorkingDir: root,
    entryPoints: ['src/main.ts', ...commands.map((file) => `src/commands/${file}`)],
    entryNames: '[name]',
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    // Older than what we run on, because `node dist/main.cjs` is started with whatever Node is there.
    target: 'node20',
    format: 'cjs',
    // The ES modules of the OTLP exporter call require() through createRequire, which a bundle cannot follow: it would
    // fail at the first export, without a word. Their CommonJS twins bundle whole.
    conditions: ['require'],
    legalComments: 'none',
    plugins: [commandsStayApart],
    logLevel: 'warning',
  });
  writeFileSync(join(outdir, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(root, metafile));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(`${root}dist`);
