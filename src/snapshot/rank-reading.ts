import { parsePythonJson } from './parse.ts';
import { readInstant, readNumber } from './values.ts';

/** How far one rank of a job is, and how long its last step took. */
export interface RankReading {
  readonly rank: number;
  /** Steps trained over all epochs. */
  readonly step: number | undefined;
  /** Time of the last step before the collective operations, in milliseconds; else of the whole step. */
  readonly stepMs: number | undefined;
}

export interface RankFileReading extends RankReading {
  /** As in the metrics file of the run, in Unix milliseconds; undefined if the file does not say it. */
  readonly startTimeMs: number | undefined;
}

/** Field with the time that a rank computes before it waits for the others. Without it, all ranks look equally slow. */
export const rankComputeField = 'rank_compute_ms';

export type RankParseResult =
  | { readonly status: 'ok'; readonly reading: RankFileReading }
  | { readonly status: 'invalid'; readonly reason: string };

/** Reads the file of one rank: `rank`, `global_step`, `rank_compute_ms` or `processing_time_ms`, and `start_time`. */
export function parseRankFile(bytes: Uint8Array): RankParseResult {
  const parsed = parsePythonJson(bytes);
  if (parsed.status !== 'ok') return { status: 'invalid', reason: parsed.reason };
  const file = parsed.value;
  if (typeof file !== 'object' || file === null) return { status: 'invalid', reason: 'it is not an object' };
  const rank = numberOf(file, 'rank');
  if (rank === undefined || !Number.isSafeInteger(rank) || rank < 0)
    return { status: 'invalid', reason: 'it has no whole number `rank`' };
  return {
    status: 'ok',
    reading: {
      rank,
      step: numberOf(file, 'global_step'),
      stepMs: numberOf(file, rankComputeField) ?? numberOf(file, 'processing_time_ms'),
      startTimeMs: startTimeOf(file),
    },
  };
}

function startTimeOf(file: object): number | undefined {
  const reading = readInstant(fieldOf(file, 'start_time'));
  return reading.status === 'ok' ? reading.value : undefined;
}

function numberOf(file: object, field: string): number | undefined {
  const reading = readNumber(fieldOf(file, field));
  return reading.status === 'number' && reading.value >= 0 ? reading.value : undefined;
}

const fieldOf = (file: object, field: string): unknown => Object.getOwnPropertyDescriptor(file, field)?.value;
