import { glob, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { groupBy } from '../../common/group-by.ts';

/** The log files of one run. */
export interface LogFiles {
  /** Folder of the run. */
  readonly folder: string;
  readonly paths: readonly string[];
}

const maxDepth = 5;
const maxFiles = 10_000;
export const isEventFile = (path: string) => basename(path).includes('.tfevents.');
const isLogFile = (path: string) =>
  isEventFile(path) || /\.(jsonl|ndjson|csv)$|^(metrics|scalars)\.json$/i.test(basename(path));

/** Whether a path stands for several files. */
export const isPattern = (path: string): boolean => /[*?[{]/.test(path);

/**
 * The files of the newest run at a path: a file, a folder, or a pattern of files or folders. All event files in the folder
 * of a run and below it are one run; of other logs it is the file that was written last. Undefined if there is none.
 */
export async function findLogs(path: string): Promise<LogFiles | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile()) return { folder: dirname(path), paths: [path] };
  const found = await filesBelow(path);
  const newest = await newestOf(found);
  if (newest === undefined) return undefined;
  if (!isEventFile(newest)) return { folder: dirname(newest), paths: [newest] };
  const folder = runFolderOf(newest, found.filter(isEventFile));
  const events: string[] = [];
  await collect(folder, maxDepth, events);
  return { folder, paths: events.filter(isEventFile).sort() };
}

/** The files of every run at a path, in the order of their paths. A log that is no event file is a run of its own. */
export async function findAllLogs(path: string): Promise<readonly LogFiles[]> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile()) return [{ folder: dirname(path), paths: [path] }];
  const found = (await filesBelow(path)).sort();
  const events = found.filter(isEventFile);
  const runs = groupBy(found, (file) => (isEventFile(file) ? runFolderOf(file, events) : file));
  return [...runs].map(([key, paths]) => ({ folder: paths[0] === key ? dirname(key) : key, paths }));
}

/** Logs in a folder and below it, or those that a pattern matches. */
async function filesBelow(path: string): Promise<string[]> {
  const found: string[] = [];
  // A folder's own name may hold the characters of a pattern.
  await collect(path, maxDepth, found);
  if (found.length > 0 || !isPattern(path)) return found;
  for await (const match of glob(path)) {
    const matched = await stat(match).catch(() => undefined);
    if (matched?.isFile()) found.push(match);
    else if (matched?.isDirectory()) await collect(match, maxDepth, found);
    if (found.length >= maxFiles) break;
  }
  return found;
}

async function collect(folder: string, depth: number, found: string[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (found.length >= maxFiles) return;
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) await collect(path, depth - 1, found);
    else if (isLogFile(path) && !entry.isDirectory()) found.push(path);
  }
}

async function newestOf(paths: readonly string[]): Promise<string | undefined> {
  let newest: { readonly path: string; readonly modifiedMs: number } | undefined;
  for (const path of paths) {
    const modifiedMs = (await stat(path).catch(() => undefined))?.mtimeMs;
    if (modifiedMs !== undefined && modifiedMs >= (newest?.modifiedMs ?? 0)) newest = { path, modifiedMs };
  }
  return newest?.path;
}

/** Keras writes into train/ and validation/, and torch's add_scalars into a folder for each curve beside its event file. */
function runFolderOf(path: string, events: readonly string[]): string {
  const folder = dirname(path);
  const parent = dirname(folder);
  const isPart =
    /^(train|val(idation)?|eval|test)$/i.test(basename(folder)) ||
    events.some((event) => dirname(event) === parent);
  return isPart ? parent : folder;
}
