import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { observePoll, unreadState, type WatchState } from '../../../src/commands/watch/state.ts';
import type { RunPolicy } from '../../../src/run/run.ts';
import { interpret } from '../../../src/snapshot/interpret.ts';
import type { PollOutcome } from '../../../src/snapshot/source.ts';
import { snapshotOf } from '../../support/snapshot.ts';

const policy: RunPolicy = {
  staleAfterMs: 300_000,
  stallAfterMs: 600_000,
  maxExtraMetrics: 50,
  rank: undefined,
};

const startMs = Date.UTC(2025, 9, 23, 10, 15);

/** A poll with this outcome, `second` seconds after the start of the job. */
export function polled(state: WatchState, outcome: PollOutcome, second: number, fileAgeMs = 400): WatchState {
  const moment = { unixMs: startMs + second * 1000, monotonicMs: second * 1000 };
  return observePoll(state, { outcome, moment, fileAgeMs, snapshotAgeMs: fileAgeMs }, policy);
}

export type Document = Readonly<Record<string, unknown>> & {
  readonly job_metadata: Readonly<Record<string, unknown>>;
  readonly training_metrics: Readonly<Record<string, unknown>>;
};

/** What examples/training/train.py wrote in a run of four epochs, every second write. */
export const trainingExample: readonly Document[] = readFileSync(
  fileURLToPath(new URL('../../fixtures/watch/training-example.jsonl', import.meta.url)),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Document);

export const read = (document: unknown): PollOutcome => ({
  status: 'ok',
  snapshots: [{ snapshot: snapshotOf(interpret(document)) }],
});

/** The state after these documents, one written every ten seconds. */
export const stateAfter = (documents: readonly Document[], path = '/shared/metrics/current.json') =>
  documents.reduce<WatchState>((state, it, index) => polled(state, read(it), index * 10), unreadState(path));
