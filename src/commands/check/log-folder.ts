import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const logName = /tfevents|\.(jsonl|ndjson|csv)$|^(metrics|scalars|current)\.json$/i;

/** So that the root of a large volume is not searched for minutes. */
const maxEntries = 5_000;
const maxDepth = 5;

/** The logs in a folder and its subfolders, by their names, newest first. Never throws. */
export async function logsIn(folder: string): Promise<readonly string[]> {
  const logs: { readonly path: string; readonly modifiedMs: number }[] = [];
  let entries = 0;
  async function search(path: string, depth: number): Promise<void> {
    for await (const entry of await opendir(path)) {
      if (++entries > maxEntries) return;
      const child = join(path, entry.name);
      if (entry.isDirectory() && depth < maxDepth) await search(child, depth + 1).catch(() => undefined);
      if (entry.isFile() && logName.test(entry.name)) {
        const stats = await stat(child).catch(() => undefined);
        if (stats !== undefined) logs.push({ path: child, modifiedMs: stats.mtimeMs });
      }
    }
  }
  await search(folder, 0).catch(() => undefined);
  return logs.toSorted((a, b) => b.modifiedMs - a.modifiedMs).map(({ path }) => path);
}
