import { open } from 'node:fs/promises';
import { glob } from '../common/glob.ts';
import type { Conditions } from '../common/logger.ts';
import { settlesWithin } from '../common/timing.ts';
import { parseRankFile, type RankFileReading, type RankReading } from './rank-reading.ts';

/** Files of the other ranks in this pod. */
export interface RankFiles {
  /**
   * Reads the files again, and logs whether some are of another run than the one with this `start_time`. Waits for a volume
   * that hangs for a second, once. Never rejects.
   */
  refresh(runStartMs: number | undefined): Promise<void>;
  /**
   * What was read last of the run with this `start_time`, without files that were last written before `staleAfterMs`. At
   * most one for each rank.
   */
  readingsOf(runStartMs: number | undefined): readonly RankReading[];
}

export interface RankFilesOptions {
  /** A glob. */
  readonly pattern: string;
  readonly staleAfterMs: number;
  readonly conditions: Conditions;
}

interface DatedReading extends RankFileReading {
  readonly path: string;
  readonly writtenUnixMs: number;
}

const maxFiles = 64;
const maxBytes = 65_536;
const waitMs = 1_000;

export function createRankFiles({ pattern, staleAfterMs, conditions }: RankFilesOptions): RankFiles {
  let read: readonly DatedReading[] = [];
  let running: Promise<void> | undefined;
  /** The last valid content, used while a file is half-written. */
  const latest = new Map<string, RankFileReading>();
  const isFresh = ({ writtenUnixMs }: Pick<DatedReading, 'writtenUnixMs'>) =>
    Date.now() - writtenUnixMs <= staleAfterMs;

  async function readAll(): Promise<void> {
    const found = await matchingFiles(pattern);
    if (found.length > maxFiles)
      conditions.raise(
        'rank_files',
        'warn',
        { pattern, files: found.length, limit: maxFiles },
        'RANK_FILES matches too many files: the last by name are not read',
      );
    const paths = found.slice(0, maxFiles);
    for (const path of latest.keys()) if (!paths.includes(path)) latest.delete(path);
    const readings: (DatedReading | undefined)[] = [];
    // One at a time: each file that hangs occupies a thread of libuv's pool, which the metrics file needs too.
    for (const path of paths) readings.push(await readRankFile(path));
    read = readings.filter((reading) => reading !== undefined);
    conditions.clear('rank_files_hang', 'Rank files are read again', { pattern });
  }

  async function readRankFile(path: string): Promise<DatedReading | undefined> {
    const file = await readSmallFile(path).catch((error: Error) => error.message);
    if (typeof file === 'string') return skipped(path, file);
    if (!isFresh(file)) return undefined;
    const { writtenUnixMs } = file;
    const parsed = parseRankFile(file.bytes);
    if (parsed.status !== 'ok') {
      const before = latest.get(path);
      return before === undefined ? skipped(path, parsed.reason) : { ...before, path, writtenUnixMs };
    }
    conditions.clear(`rank_file:${path}`, 'Rank file is readable again', { path });
    latest.set(path, parsed.reading);
    return { ...parsed.reading, path, writtenUnixMs };
  }

  function skipped(path: string, reason: string): undefined {
    conditions.raise(`rank_file:${path}`, 'warn', { path, reason }, 'Rank file is skipped');
  }

  function reportOtherRuns(runStartMs: number | undefined): void {
    const [first, ...rest] = read.filter((it) => isFresh(it) && !isOfRun(it, runStartMs));
    if (first === undefined)
      return conditions.clear('other_run_rank_files', 'No rank file is of another run any more', { pattern });
    conditions.raise(
      'other_run_rank_files',
      'info',
      { path: first.path, files: rest.length + 1 },
      'Rank files of another run are skipped',
    );
  }

  return {
    async refresh(runStartMs) {
      const hangs = running !== undefined;
      running ??= readAll()
        .catch((error: Error) =>
          conditions.raise(
            'rank_files',
            'warn',
            { pattern, reason: error.message },
            'RANK_FILES cannot be read',
          ),
        )
        .finally(() => {
          running = undefined;
        });
      if (!hangs && !(await settlesWithin(waitMs, running))) {
        const message = 'Reading the rank files hangs; the volume may not answer';
        conditions.raise('rank_files_hang', 'warn', { pattern }, message);
      }
      reportOtherRuns(runStartMs);
    },
    readingsOf: (runStartMs) => uniqueRanks(read.filter((it) => isFresh(it) && isOfRun(it, runStartMs))),
  };
}

/**
 * Whether a file is of the run with this `start_time`: by its own `start_time`, otherwise by when it was written. A start in
 * the future is usually a local time without a zone, so it is not compared with the time of a write.
 */
function isOfRun({ startTimeMs, writtenUnixMs }: DatedReading, runStartMs: number | undefined): boolean {
  if (runStartMs === undefined) return true;
  if (startTimeMs !== undefined) return startTimeMs === runStartMs;
  return writtenUnixMs >= runStartMs || runStartMs > Date.now();
}

/** The files that are read, in the order of their ranks where their names differ by these. Throws on Node 20. */
export async function filesOfRanks(pattern: string): Promise<readonly string[]> {
  const paths = (await matchingFiles(pattern)).slice(0, maxFiles);
  return paths.toSorted(new Intl.Collator('en', { numeric: true }).compare);
}

/** Sorted by name. */
async function matchingFiles(pattern: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const path of glob(pattern)) found.push(path);
  return found.toSorted();
}

async function readSmallFile(path: string) {
  const file = await open(path);
  try {
    const { size, mtimeMs } = await file.stat();
    if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    return { bytes: await file.readFile(), writtenUnixMs: mtimeMs };
  } finally {
    await file.close();
  }
}

/** If two files have the same rank, the first by name is used. */
function uniqueRanks(readings: readonly RankReading[]): readonly RankReading[] {
  const byRank = new Map<number, RankReading>();
  for (const reading of readings) if (!byRank.has(reading.rank)) byRank.set(reading.rank, reading);
  return [...byRank.values()];
}
