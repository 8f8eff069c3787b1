import * as files from 'node:fs/promises';
import type { ParseResult } from './setting.ts';

/** Whether a path stands for several files. */
export const isPattern = (path: string): boolean => /[*?[{]/.test(path);

/** The bundle also runs on Node 20, whose file system has no glob. */
const hasGlob = files.glob !== undefined;
const withoutGlob = `a path without * ? [ {, because patterns need Node 22 or newer, and this is ${process.version}`;

/** A path, or a pattern where Node can search for one. */
export const pathOrPattern = (value: string): ParseResult<string> =>
  hasGlob || !isPattern(value) ? { status: 'ok', value } : { status: 'invalid', expected: withoutGlob };

/** The files and folders that a pattern matches. Throws on Node 20. */
export function glob(pattern: string): AsyncIterable<string> {
  if (hasGlob) return files.glob(pattern);
  throw new Error(`${pattern}: expected ${withoutGlob}`);
}
