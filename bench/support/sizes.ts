import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Limit of what the sidecar loads at once. Every training pod pays for it. */
export const maxSidecarBytes = 760_000;

/** What a file requires when it is loaded, and the command `run`, which the sidecar is. */
const loadedAtOnce = /(?:= ?require\("\.\/|require\("\.\/(?=run-))([^"]+)"\)/g;

/** Bytes of the files the sidecar loads at once, as they are and as they travel. */
export function bundleSizes(folder: string): { readonly plain: number; readonly gzip: number } {
  const loaded = new Map<string, Buffer>();
  const load = (file: string) => {
    if (loaded.has(file)) return;
    const bytes = readFileSync(join(folder, 'app', file));
    loaded.set(file, bytes);
    for (const [, next] of bytes.toString().matchAll(loadedAtOnce)) load(next as string);
  };
  load('main.cjs');
  const all = Buffer.concat([...loaded.values()]);
  return { plain: all.length, gzip: gzipSync(all).length };
}
