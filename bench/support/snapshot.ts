import { interpret } from '../../src/snapshot/interpret.ts';
import { parsePythonJson } from '../../src/snapshot/parse.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';

/** Reads a file's bytes, which have to be right, as the bridge does. */
export function snapshotOf(bytes: Buffer): Snapshot {
  const parsed = parsePythonJson(bytes);
  const read = parsed.status === 'ok' ? interpret(parsed.value) : parsed;
  if (read.status !== 'ok') throw new Error(read.reason);
  return read.snapshot;
}
