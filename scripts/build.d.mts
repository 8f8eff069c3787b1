/** Writes the bundle into a folder, and leaves nothing else in it. */
export function bundle(outdir: string): Promise<void>;
