import type { Metafile } from 'esbuild';

/** Writes the bundle into a folder, and leaves nothing else in it. Gives esbuild's account of each file's inputs. */
export function bundle(outdir: string): Promise<{ readonly sidecar: Metafile; readonly commands: Metafile }>;
