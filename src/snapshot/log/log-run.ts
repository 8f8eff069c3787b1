import type { Resume, Snapshot } from '../snapshot.ts';
import type { LogEntry } from './log-file.ts';

/** The run that the records of a log belong to, told by their steps. */
export interface LogRun {
  /** Time of its first record, in Unix milliseconds. */
  readonly startTimeMs: number;
  readonly firstStep: number | undefined;
  /** The highest step of each kind of record: logs count validations and batches apart. */
  readonly highestSteps: ReadonlyMap<string, number>;
  /** The last step of each kind of record since the run began or was resumed. */
  readonly lastSteps: ReadonlyMap<string, number>;
  /** Undefined unless this record is the first after a resume from an earlier step. */
  readonly resume: Resume | undefined;
}

const maxKinds = 256;

/** Records of one kind have the same fields. */
export function recordKind({ values, extras, nonFinite }: Snapshot): string {
  return [...new Set([...Object.keys(values), ...extras.keys(), ...nonFinite.keys()])].sort().join(' ');
}

/**
 * The run after a record. A step below the highest of its kind, at or below the first step of the run, begins a new run.
 * Any other step back is a resume from a checkpoint. Without steps, epochs count; without both, other content of the file
 * is a new run. A writer of event files may say itself that a session begins at a step.
 *
 * @param timeMs of the record, in Unix milliseconds
 */
export function followRun(
  run: LogRun | undefined,
  { snapshot, isOther, record }: Pick<LogEntry, 'snapshot' | 'isOther' | 'record'>,
  timeMs: number,
): LogRun {
  const step = snapshot.values.global_step ?? snapshot.values.epoch;
  const kind = recordKind(snapshot);
  const steps = new Map(step === undefined ? [] : [[kind, step]]);
  const began: LogRun = {
    startTimeMs: timeMs,
    firstStep: step,
    highestSteps: steps,
    lastSteps: steps,
    resume: undefined,
  };
  if (run === undefined) return began;
  if (step === undefined) return isOther ? began : { ...run, resume: undefined };
  const { firstStep = step, highestSteps } = run;
  const highest = highestSteps.get(kind);
  if (step <= firstStep && step < (highest ?? step)) return began;
  // A log that has one record so far repeats its first step when it is begun again.
  if (isOther && step <= firstStep) return began;
  const { sessionStep } = record;
  if (sessionStep !== undefined && sessionStep <= firstStep) return began;
  const resume = resumeAt(step, run.lastSteps.get(kind)) ?? resumeOfSession(run, sessionStep);
  const next = { ...run, firstStep, resume };
  if (highest === undefined && highestSteps.size >= maxKinds) return next;
  return {
    ...next,
    highestSteps: new Map(highestSteps).set(kind, Math.max(step, highest ?? step)),
    // The other kinds go back after this one. That is the same resume.
    lastSteps: resume === undefined ? new Map(run.lastSteps).set(kind, step) : steps,
  };
}

const resumeAt = (at: number, last: number | undefined): Resume | undefined =>
  last !== undefined && at < last ? { at, from: last } : undefined;

/** A session that begins at a step makes void what was recorded of this step and later ones. */
function resumeOfSession({ lastSteps }: LogRun, at: number | undefined): Resume | undefined {
  const from = Math.max(...lastSteps.values());
  return at !== undefined && from >= at ? { at, from } : undefined;
}
