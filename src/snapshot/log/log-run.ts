import type { Snapshot } from '../snapshot.ts';

/** The run that the records of a log belong to, told by their steps. */
export interface LogRun {
  /** Time of its first record, in Unix milliseconds. */
  readonly startTimeMs: number;
  readonly firstStep: number | undefined;
  /** The highest step of each kind of record: logs count validations and batches apart. */
  readonly highestSteps: ReadonlyMap<string, number>;
  /** The last step of each kind of record. */
  readonly lastSteps: ReadonlyMap<string, number>;
  /** Where the run was, if this record is the first after a resume from an earlier step. */
  readonly resumedFrom: number | undefined;
}

const maxKinds = 256;

/** Records of one kind have the same fields. */
export function recordKind({ values, extras, nonFinite }: Snapshot): string {
  return [...new Set([...Object.keys(values), ...extras.keys(), ...nonFinite.keys()])].sort().join(' ');
}

/**
 * The run after a record. A step below the highest of its kind, at or below the first step of the run, begins a new run.
 * Any other step back is a resume from a checkpoint. Without steps, epochs count; without both, other content of the file
 * is a new run.
 *
 * @param isOther whether the record is the first of other content of the file
 */
export function followRun(
  run: LogRun | undefined,
  snapshot: Snapshot,
  timeMs: number,
  isOther: boolean,
): LogRun {
  const step = snapshot.values.global_step ?? snapshot.values.epoch;
  const kind = recordKind(snapshot);
  const steps = new Map(step === undefined ? [] : [[kind, step]]);
  const began: LogRun = {
    startTimeMs: timeMs,
    firstStep: step,
    highestSteps: steps,
    lastSteps: steps,
    resumedFrom: undefined,
  };
  if (run === undefined) return began;
  if (step === undefined) return isOther ? began : { ...run, resumedFrom: undefined };
  const { firstStep = step, highestSteps } = run;
  const highest = highestSteps.get(kind);
  if (step <= firstStep && step < (highest ?? step)) return began;
  // A log that has one record so far repeats its first step when it is begun again.
  if (isOther && step <= firstStep) return began;
  const last = run.lastSteps.get(kind);
  const next = { ...run, firstStep, resumedFrom: last !== undefined && step < last ? last : undefined };
  if (highest === undefined && highestSteps.size >= maxKinds) return next;
  return {
    ...next,
    highestSteps: new Map(highestSteps).set(kind, Math.max(step, highest ?? step)),
    lastSteps: new Map(run.lastSteps).set(kind, step),
  };
}
