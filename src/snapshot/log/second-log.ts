import { stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { frameworkFormats } from '../../catalogue/file-formats.ts';
import { firstBytesOf } from './fingerprint.ts';
import { type DetectedFormat, detectFormat } from './formats/detect.ts';
import type { LogFiles } from './log-files.ts';

/** Logs of one run are written at the same time. A buffered one is written late. */
const marginMs = 30_000;

/**
 * The priority of a log among those of one run; 0 is the highest. JSON lines of a framework have total steps and the time left,
 * and event files have exact times. 4 means that the file is not a log.
 */
export async function logPriority(path: string): Promise<number> {
  const format = await formatOf(path);
  if (format === undefined || format === 'json') return 4;
  if (format === 'tensorboard') return 1;
  if (!(format in frameworkFormats)) return 3;
  return frameworkFormats[format as keyof typeof frameworkFormats] === 'jsonl' ? 0 : 2;
}

/** Undefined if the file is empty or cannot be read. */
async function formatOf(path: string): Promise<DetectedFormat | undefined> {
  const head = await firstBytesOf(path);
  return head.length === 0 ? undefined : detectFormat(path, head);
}

/** Whether one folder is the other, or is below it. */
export const isBeside = (one: string, other: string): boolean =>
  `${one}${sep}`.startsWith(`${other}${sep}`) || `${other}${sep}`.startsWith(`${one}${sep}`);

/**
 * Whether two logs are of the same run, as of a framework that writes its own log and event files: one of them is of event
 * files, one stands in the folder of the other or below it, and they were written at the same time. Times alone would not
 * do, because runs that were copied together have the same.
 */
export async function areOfOneRun(one: LogFiles, other: LogFiles): Promise<boolean> {
  if (!isBeside(one.folder, other.folder)) return false;
  const [format, otherFormat] = await Promise.all([one, other].map(({ paths }) => formatOf(paths[0] ?? '')));
  if (format === undefined || otherFormat === undefined || format === otherFormat) return false;
  if (format !== 'tensorboard' && otherFormat !== 'tensorboard') return false;
  const [a, b] = [await timesOf(one), await timesOf(other)];
  return a.createdMs - marginMs <= b.modifiedMs && b.createdMs - marginMs <= a.modifiedMs;
}

async function timesOf({ paths }: LogFiles) {
  const all = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  const found = all.filter((stats) => stats !== undefined);
  return {
    // 0 if the file system does not keep it.
    createdMs: Math.min(
      ...found.map(({ birthtimeMs, mtimeMs }) => Math.min(birthtimeMs || mtimeMs, mtimeMs)),
    ),
    modifiedMs: Math.max(...found.map(({ mtimeMs }) => mtimeMs)),
  };
}
