import type { Metafile } from 'esbuild';

/** Writes the bundle into a folder, and leaves nothing else in it. Gives esbuild's account of each file's inputs. */
export function bundle(outdir: string): Promise<{ readonly sidecar: Metafile; readonly commands: Metafile }>;

/** Bundles a program with the sidecar in it, the sidecar itself unless another is named, into a folder that is there. */
export function buildSidecar(outdir: string, entryPoint?: string): Promise<Metafile>;
