import { realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { PollFailure } from '../../catalogue/outcomes.ts';
import { interpret } from '../../snapshot/interpret.ts';
import { parsePythonJson } from '../../snapshot/parse.ts';
import { type FileVersion, type ReadOutcome, readMetricsFile, sameVersion } from '../../snapshot/read.ts';
import { rereadTorn } from '../../snapshot/reread.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { AccessPath } from './access.ts';

export type Content =
  | {
      readonly status: 'ok';
      readonly document: Readonly<Record<string, unknown>>;
      readonly snapshot: Snapshot;
    }
  /** No JSON, or JSON that is no object. */
  | { readonly status: 'malformed'; readonly bytes: Uint8Array; readonly reason: string }
  | { readonly status: Exclude<PollFailure, 'malformed' | 'hung'>; readonly reason: string };

/** What one look at the file showed. */
export interface Look {
  /** Absolute. */
  readonly path: string;
  readonly content: Content;
  /** Undefined where there is no file to have one. */
  readonly version: FileVersion | undefined;
  /** Folders from the root on, the file last; only up to what could be seen. */
  readonly way: readonly AccessPath[];
}

/** Reads the file as the bridge does at a poll, and looks at who owns it. Never throws. */
export async function lookAt(file: string): Promise<Look> {
  const path = resolve(file);
  const seen = await rereadTorn(
    async () => {
      const read = await readMetricsFile(path);
      return { content: contentOf(read), version: 'version' in read ? read.version : undefined };
    },
    ({ content }) => content.status,
  );
  return { path, ...seen, way: await wayTo(path) };
}

/** Whether nothing was written in between. */
export function sameLook(a: Look, b: Look): boolean {
  if (a.content.status !== b.content.status) return false;
  return a.version !== undefined && b.version !== undefined
    ? sameVersion(a.version, b.version)
    : a.version === b.version;
}

function contentOf(read: ReadOutcome): Content {
  switch (read.status) {
    case 'ok': {
      const malformed = (reason: string): Content => ({ status: 'malformed', bytes: read.bytes, reason });
      const parsed = parsePythonJson(read.bytes);
      if (parsed.status !== 'ok') return malformed(parsed.reason);
      const interpretation = interpret(parsed.value);
      return interpretation.status === 'ok'
        ? {
            status: 'ok',
            document: parsed.value as Record<string, unknown>,
            snapshot: interpretation.snapshot,
          }
        : malformed(interpretation.reason);
    }
    case 'torn':
    case 'unchanged':
      return {
        status: 'malformed',
        bytes: new Uint8Array(),
        reason: 'it is being written all the time: write it under another name, then rename it',
      };
    case 'empty':
      return {
        status: 'empty',
        reason: 'the file is empty: nothing was written yet, or it is written in place',
      };
    default:
      return { status: read.status, reason: read.reason };
  }
}

/** Every folder that has to be passed, also those behind a symbolic link, and the file. */
async function wayTo(path: string): Promise<readonly AccessPath[]> {
  const real = await realpath(path).catch(() => path);
  const folders = new Set([...foldersOf(path), ...foldersOf(real)]);
  const places: AccessPath[] = [];
  for (const [each, kind] of [
    ...[...folders].map((it) => [it, 'folder'] as const),
    [path, 'file'] as const,
  ]) {
    const stats = await stat(each).catch(() => undefined);
    if (stats === undefined || stats.isDirectory() !== (kind === 'folder')) break;
    places.push({ path: each, kind, uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777 });
  }
  return places;
}

function foldersOf(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === path ? [] : [...foldersOf(folder), folder];
}
