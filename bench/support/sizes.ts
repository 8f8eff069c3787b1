import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes of the files the sidecar loads at once, as they are and as they travel. */
export function bundleSizes(folder: string): { readonly plain: number; readonly gzip: number } {
  const loaded = new Map<string, Buffer>();
  const load = (file: string) => {
    if (loaded.has(file)) return;
    const bytes = readFileSync(join(folder, 'app', file));
    loaded.set(file, bytes);
    for (const [, next] of bytes.toString().matchAll(/require\("\.\/([^"]+)"\)/g)) load(next as string);
  };
  load('main.cjs');
  const all = Buffer.concat([...loaded.values()]);
  return { plain: all.length, gzip: gzipSync(all).length };
}
