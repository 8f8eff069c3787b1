import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes of the file the sidecar loads, as it is and as it travels. */
export function bundleSizes(folder: string): { readonly plain: number; readonly gzip: number } {
  const bytes = readFileSync(join(folder, 'app', 'main.cjs'));
  return { plain: bytes.length, gzip: gzipSync(bytes).length };
}
