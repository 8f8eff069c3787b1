// The writer to copy into a training program. It needs only Node, 20 or newer.
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const reported = new Set<string>();

/** Replaces the file at `path` with `document` as JSON. A failure is logged once and never thrown. */
export function writeMetrics(path: string, document: object): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // In the same folder, because a rename is atomic only within one file system.
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
    // JSON has no NaN and no Infinity: the bridge reads them from strings, and JSON.stringify would write null.
    const finite = (_key: string, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
    writeFileSync(temporary, JSON.stringify(document, finite));
    // The bridge usually runs as another user, which must be able to read the file.
    chmodSync(temporary, 0o644);
    renameSync(temporary, path);
  } catch (error) {
    const problem = String(error);
    if (!reported.has(problem)) console.warn(`Metrics were not written: ${problem}`);
    reported.add(problem);
  }
}
