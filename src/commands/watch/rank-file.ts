import { interpret, parseMetricsFile } from '../../snapshot/interpret.ts';
import { parsePythonJson } from '../../snapshot/parse.ts';
import { parseRankFile } from '../../snapshot/rank-reading.ts';
import type { SnapshotParseResult } from '../../snapshot/snapshot.ts';

/** Parses a metrics file, or a file of one rank as RANK_FILES has them, whose numbers stand at the top. Never throws. */
export function parseWatchedFile(bytes: Uint8Array): SnapshotParseResult {
  const result = parseMetricsFile(bytes);
  if (result.status !== 'no_metrics' || parseRankFile(bytes).status !== 'ok') return result;
  const parsed = parsePythonJson(bytes);
  if (parsed.status !== 'ok') return result;
  const { rank, start_time, ...numbers } = parsed.value as Readonly<Record<string, unknown>>;
  return interpret({ job_metadata: { rank, start_time }, training_metrics: numbers });
}
