import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { glob, isPattern } from '../../common/glob.ts';
import { groupBy } from '../../common/group-by.ts';
import type { LogFiles, RunLogs } from './log-files.ts';
import { areOfOneRun, isBeside, logPriority } from './second-log.ts';

const maxDepth = 5;
/** How many logs are looked at below a path. */
export const maxLogs = 10_000;
/** Of the logs beside the newest one, the latest that may be of the same run. */
const maxCompared = 20;

/** Called if there are more than `maxLogs` logs, so that some were not looked at. */
export type OnMoreLogs = () => void;

export const isEventFile = (path: string) => basename(path).includes('.tfevents.');
const isLogFile = (path: string) =>
  isEventFile(path) || /\.(jsonl|ndjson|csv)$|^(metrics|scalars)\.json$/i.test(basename(path));

/**
 * The files of the newest run at a path: a file, a folder, or a pattern of files or folders. All event files in the folder
 * of a run and below it are one run. Any other log is a run of one file, and the newest is used. If a run has several logs,
 * the one with the highest priority is used. Undefined if there is none.
 */
export async function findLogs(path: string, onMore: OnMoreLogs = () => {}): Promise<LogFiles | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile()) return { folder: dirname(path), paths: [path] };
  const found = await filesBelow(path, onMore);
  const byTime = await newestFirst(found);
  const [newest] = byTime;
  if (newest === undefined) return undefined;
  const log = await filesOfLog(newest, found);
  const beside = byTime.filter((file) => isBeside(dirname(file), log.folder)).slice(0, maxCompared);
  const priority = await logPriority(newest);
  for (const { file } of (await byPriority(beside)).filter((other) => other.priority < priority)) {
    const better = await filesOfLog(file, found);
    if (await areOfOneRun(log, better)) return better;
  }
  return log;
}

/** Sorts the logs with the highest priority first. */
async function byPriority(files: readonly string[]) {
  const priorities = await Promise.all(
    files.map(async (file) => ({ file, priority: await logPriority(file) })),
  );
  return priorities.sort((a, b) => a.priority - b.priority);
}

/** The files of the log that a file belongs to. */
async function filesOfLog(path: string, found: readonly string[]): Promise<LogFiles> {
  if (!isEventFile(path)) return { folder: dirname(path), paths: [path] };
  const folder = runFolderOf(path, found.filter(isEventFile));
  const { files } = await collect(folder, createSearch());
  return { folder, paths: files.filter(isEventFile).sort() };
}

/**
 * The files of every run at a path, in the order of their paths. A log that is no event file is a run of its own, unless it
 * is a second log of one.
 */
export async function findAllLogs(path: string, onMore: OnMoreLogs = () => {}): Promise<readonly RunLogs[]> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile()) return [{ folder: dirname(path), paths: [path], secondLogs: [] }];
  const found = (await filesBelow(path, onMore)).sort();
  const events = found.filter(isEventFile);
  const runs = groupBy(found, (file) => (isEventFile(file) ? runFolderOf(file, events) : file));
  const logs = [...runs].map(([key, paths]) => ({ folder: paths[0] === key ? dirname(key) : key, paths }));
  return withoutSecondLogs(logs);
}

/** Of several logs of one run, keeps the one with the highest priority. */
async function withoutSecondLogs(logs: readonly LogFiles[]): Promise<readonly RunLogs[]> {
  const priorities = await Promise.all(logs.map(({ paths }) => logPriority(paths[0] ?? '')));
  const ranked = logs
    .map((log, index) => ({ log, priority: priorities[index] ?? 0 }))
    .sort((a, b) => a.priority - b.priority);
  const keptFor = new Map<LogFiles, LogFiles>();
  for (const { log, priority } of ranked) {
    const better = ranked.filter((other) => other.priority < priority).map((other) => other.log);
    const ofOneRun = await firstOfOneRun(log, better);
    keptFor.set(log, (ofOneRun && keptFor.get(ofOneRun)) ?? log);
  }
  const byKept = groupBy(logs, (log) => keptFor.get(log) ?? log);
  return logs.flatMap((kept) => {
    const all = byKept.get(kept);
    if (all === undefined) return [];
    return [{ ...kept, secondLogs: all.filter((log) => log !== kept).flatMap(({ paths }) => paths) }];
  });
}

async function firstOfOneRun(log: LogFiles, others: readonly LogFiles[]): Promise<LogFiles | undefined> {
  for (const other of others) if (await areOfOneRun(log, other)) return other;
  return undefined;
}

interface Search {
  readonly files: string[];
  /** Whether a log was left out, because there were `maxLogs` before it. */
  isFull: boolean;
}

const createSearch = (): Search => ({ files: [], isFull: false });

function addFile(path: string, search: Search): void {
  if (search.files.length < maxLogs) search.files.push(path);
  else search.isFull = true;
}

/** Logs in a folder and below it, or those that a pattern matches. */
async function filesBelow(path: string, onMore: OnMoreLogs): Promise<string[]> {
  const search = createSearch();
  // A folder's own name may hold the characters of a pattern.
  await collect(path, search);
  if (search.files.length === 0 && isPattern(path)) await collectMatches(path, search);
  if (search.isFull) onMore();
  return search.files;
}

async function collectMatches(pattern: string, search: Search): Promise<void> {
  for await (const match of glob(pattern)) {
    const matched = await stat(match).catch(() => undefined);
    if (matched?.isFile()) addFile(match, search);
    else if (matched?.isDirectory()) await collect(match, search);
    if (search.isFull) return;
  }
}

async function collect(folder: string, search: Search, depth = maxDepth): Promise<Search> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth > 0) await collect(path, search, depth - 1);
    else if (isLogFile(path) && !entry.isDirectory()) addFile(path, search);
    if (search.isFull) break;
  }
  return search;
}

async function newestFirst(paths: readonly string[]): Promise<readonly string[]> {
  const found: { readonly path: string; readonly modifiedMs: number }[] = [];
  for (const path of paths) {
    const modifiedMs = (await stat(path).catch(() => undefined))?.mtimeMs;
    if (modifiedMs !== undefined) found.push({ path, modifiedMs });
  }
  // The later one in the order of the folder if both were written at the same time.
  return found
    .reverse()
    .sort((a, b) => b.modifiedMs - a.modifiedMs)
    .map(({ path }) => path);
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
