import { isNumericField } from '../catalogue/metrics.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Run, RunEvent } from './run.ts';

/**
 * Admits extra metrics in the order in which they appear, up to the limit. An admitted name keeps its place when it is
 * absent for a while, so the number of series of a run is bounded.
 */
export function admitExtras(admitted: ReadonlySet<string>, snapshot: Snapshot, limit: number) {
  const unseen = [...snapshot.extras.keys()].filter((name) => !admitted.has(name));
  if (unseen.length === 0) return { admitted, refused: [] };
  const room = Math.max(0, limit - admitted.size);
  return { admitted: new Set([...admitted, ...unseen.slice(0, room)]), refused: unseen.slice(room) };
}

/** Counts the values of a snapshot that are NaN or infinite, by name. */
export function countNonFinite(
  counts: Run['nonFinite'],
  snapshot: Snapshot,
  extras: ReadonlySet<string>,
): Run['nonFinite'] {
  if (snapshot.nonFinite.size === 0) return counts;
  const next = new Map(counts);
  for (const [name] of nonFiniteValues(snapshot, extras)) next.set(name, (next.get(name) ?? 0) + 1);
  return next;
}

/** The fields whose value became NaN or infinite, or finite again, with the latest snapshot of a run. */
export function finiteChanges(before: Run, after: Run): readonly RunEvent[] {
  const isFirst = before.latest === after.latest;
  const previous = new Map(isFirst ? [] : nonFiniteValues(before.latest, before.extras));
  const current = new Map(nonFiniteValues(after.latest, after.extras));
  const became = [...current].filter(([field]) => !previous.has(field));
  const recovered = [...previous.keys()].filter((field) => !current.has(field));
  return [
    ...became.map(([field, value]) => ({ kind: 'became_non_finite', field, value }) as const),
    ...recovered.map((field) => ({ kind: 'became_finite', field }) as const),
  ];
}

/**
 * The values that are NaN or infinite, by the name under which they are counted. A field that has a metric is counted
 * by its own name. All others share the name `extra`, because their names are unbounded.
 */
function nonFiniteValues(
  { nonFinite }: Snapshot,
  extras: ReadonlySet<string>,
): readonly (readonly [string, number])[] {
  return [...nonFinite].map(([field, value]) => [
    isNumericField(field) || extras.has(field) ? field : 'extra',
    value,
  ]);
}
