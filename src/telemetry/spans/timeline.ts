import { spanEvents } from '../../catalogue/spans.ts';
import type { PollTime, Run, RunIdentity, Transition } from '../../run/run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { isFarAhead } from '../../snapshot/values.ts';
import { identityAttributes, outcomeOf, type RunOutcome, runSpanAttributes } from './attributes.ts';
import { endEpoch, openEpoch, withValues } from './epoch.ts';
import { detectedEvents, lossFields, newEvents } from './events.ts';
import { type RunKey, spanIdOf } from './ids.ts';
import { addEvents, type FinishedSpan, newestEvents, type OpenRun, presentTime } from './open-run.ts';
import type { SavedRunSpan } from './run-span-store.ts';

/** The state from which the spans of successive runs are made. Pure, as `run/` is: the same input gives the same actions. */
export interface Timeline {
  /** service.instance.id of the bridge: part of the ids of runs that have no job_id or start_time. */
  readonly instanceId: string;
  /** When the bridge started, in Unix milliseconds. */
  readonly startedUnixMs: number;
  /** What the previous bridge left. */
  readonly saved: SavedRunSpan | undefined;
  /** Whether the bridge was already polling before the open or the next run began, and so sees its first snapshot. */
  readonly sawRunStart: boolean;
  readonly open: OpenRun | undefined;
  /** The run that ended last. */
  readonly previous: RunKey | undefined;
  readonly runs: number;
}

/** What the span writer has to do, in order. */
export type SpanAction =
  | {
      readonly kind: 'run_began';
      readonly run: OpenRun;
      /** Its id is that of a span which a killed bridge did not send. */
      readonly isTakenOver: boolean;
    }
  | {
      readonly kind: 'epoch_ended';
      readonly epoch: number;
      /** Its beginning was not observed. */
      readonly partial: boolean;
      readonly span: FinishedSpan;
    }
  | { readonly kind: 'run_ended'; readonly span: FinishedSpan; readonly outcome: RunOutcome };

interface Advanced {
  readonly timeline: Timeline;
  readonly actions: readonly SpanAction[];
}

export const newTimeline = (options: Pick<Timeline, 'instanceId' | 'startedUnixMs' | 'saved'>): Timeline => ({
  ...options,
  sawRunStart: false,
  open: undefined,
  previous: undefined,
  runs: 0,
});

/** Applies a transition of the run, and the snapshot that caused it if it is one of this run. */
export function advanceTimeline(
  before: Timeline,
  { run, events }: Transition,
  snapshot: Snapshot | undefined,
  now: PollTime,
): Advanced {
  let timeline = before;
  const actions: SpanAction[] = [];
  const apply = (advanced: Advanced) => {
    timeline = advanced.timeline;
    actions.push(...advanced.actions);
  };
  for (const event of events) {
    if (event.kind === 'run_ended' && event.reason === 'replaced') apply(endRun(timeline, event.run));
    if (event.kind === 'run_began') apply(beginRun(timeline, event.run, now));
  }
  if (run !== undefined && snapshot !== undefined) apply(addSnapshot(timeline, run, snapshot, now));
  if (timeline.open !== undefined) {
    const open = addEvents(timeline.open, detectedEvents(events, timeline.open, now));
    timeline = { ...timeline, open };
  }
  for (const event of events) {
    if (event.kind === 'run_ended' && event.reason !== 'replaced') apply(endRun(timeline, event.run));
  }
  const isWatched = run !== undefined && run.state !== 'waiting';
  return { timeline: { ...timeline, sawRunStart: timeline.sawRunStart || isWatched }, actions };
}

/**
 * When a snapshot was written, by the file's clock. A timestamp before the one of the last snapshot, such as 1970 from a
 * writer that has lost its clock, or far in the future, is replaced: the time since the last snapshot was measured here.
 */
function snapshotTime({ timestampMs }: Snapshot, now: PollTime, open?: OpenRun): number {
  const isPlausible = timestampMs === undefined || !isFarAhead(timestampMs, now.unixMs);
  if (open === undefined) return (isPlausible ? wasSet(timestampMs) : undefined) ?? now.unixMs;
  const timeMs = timestampMs ?? now.unixMs;
  return isPlausible && timeMs >= open.latest.timeMs ? timeMs : presentTime(open, now);
}

/** No clock that was set is before this time; one that was not begins at 1970 or 1980. */
const firstPlausibleMs = Date.UTC(2000);

const wasSet = (unixMs: number | undefined) =>
  unixMs !== undefined && unixMs >= firstPlausibleMs ? unixMs : undefined;

function beginRun(timeline: Timeline, run: Run, now: PollTime): Advanced {
  const { identity, labels, latest } = run;
  const runs = timeline.runs + 1;
  const { key, partial, isTakenOver } = spanOfRun(timeline, run, now, {
    ...identity,
    rank: labels.rank,
    fallbackId: fallbackIdFor(identity, timeline.instanceId, runs),
    part: undefined,
  });
  const timeMs = snapshotTime(latest, now);
  const open: OpenRun = {
    key,
    job: latest.job,
    identity: identityAttributes(run, latest.job),
    // A start_time after the first snapshot comes from a clock that is ahead.
    startMs: Math.min(wasSet(identity.startTimeMs) ?? timeMs, timeMs),
    partial,
    latest: { timeMs, monotonicMs: now.monotonicMs },
    epoch: undefined,
    values: {},
    nonFiniteLosses: new Map(),
    bestValidationLoss: undefined,
    events: [],
    seenEvents: new Set(),
  };
  const previousMs = previousStartTime(timeline.previous, key);
  const { name, attributes } = spanEvents.restarted;
  const began =
    previousMs === undefined
      ? open
      : addEvents(open, [
          { name, timeMs: open.startMs, attributes: { [attributes[0]]: new Date(previousMs).toISOString() } },
        ]);
  return {
    timeline: {
      ...timeline,
      open: began,
      runs,
      sawRunStart: timeline.sawRunStart && !continuesUnnamedRun(timeline.previous, key),
    },
    actions: [{ kind: 'run_began', run: began, isTakenOver }],
  };
}

/**
 * The ids of a run of which another bridge may have sent spans. A span that the previous bridge could not send, because
 * it was killed, is taken over: the epochs that were sent are below it. Where nothing was saved, another bridge may also
 * have seen the run from its beginning, and was then restarted.
 */
function spanOfRun(timeline: Timeline, run: Run, now: PollTime, key: RunKey) {
  const saved = timeline.runs === 0 && timeline.saved?.run === spanIdOf(key) ? timeline.saved : undefined;
  const isTakenOver = saved?.isSent === false;
  const partial = saved !== undefined || beganWithin(timeline, run, now);
  const ownPart = partial || mayBeRestarted(timeline, now) ? String(now.unixMs) : undefined;
  return { key: { ...key, part: isTakenOver ? saved.part : ownPart }, partial, isTakenOver };
}

/** Whether another bridge may have read the same file before this one. */
function mayBeRestarted({ sawRunStart, saved }: Timeline, { foundAtStart = false }: PollTime): boolean {
  return foundAtStart && !sawRunStart && saved === undefined;
}

/** A trainer may begin a little before its bridge. */
const startsTogetherMs = 10_000;

/**
 * Whether the run had begun before the bridge started. A file that appeared later, in the first epoch, is the first of
 * its run, even if its start_time is older: it is a constant in some programs.
 */
function beganWithin(
  { sawRunStart, startedUnixMs }: Timeline,
  { identity, latest }: Run,
  now: PollTime,
): boolean {
  if (sawRunStart) return false;
  const { startTimeMs } = identity;
  if (startTimeMs !== undefined && startedUnixMs - startTimeMs <= startsTogetherMs) return false;
  const { epoch = 1, batch_number: batch = 1 } = latest.values;
  const wasThereAtStart = now.startedMonotonicMs !== undefined;
  if (wasThereAtStart && startTimeMs !== undefined) return true;
  return epoch > 1 || (wasThereAtStart && batch > 1);
}

/** Without start_time, the number of the run keeps a later run in the same file apart from the first. */
function fallbackIdFor({ startTimeMs }: RunIdentity, instanceId: string, runs: number): string {
  return startTimeMs === undefined ? `${instanceId} ${runs}` : instanceId;
}

/** Whether the run is the previous one, whose file had no job_id at first. It is then in the middle of an epoch. */
function continuesUnnamedRun(previous: RunKey | undefined, { jobId, startTimeMs }: RunKey): boolean {
  if (previous === undefined || previous.jobId !== undefined || jobId === undefined) return false;
  return previous.startTimeMs === undefined || previous.startTimeMs === startTimeMs;
}

/** The start time of the previous run if it was of the same job, in Unix milliseconds. */
function previousStartTime(previous: RunKey | undefined, { jobId, startTimeMs }: RunKey): number | undefined {
  if (jobId === undefined || previous?.jobId !== jobId || previous.startTimeMs === startTimeMs)
    return undefined;
  return previous.startTimeMs;
}

function addSnapshot(timeline: Timeline, { progress }: Run, snapshot: Snapshot, now: PollTime): Advanced {
  const before = timeline.open;
  if (before === undefined) return { timeline, actions: [] };
  const actions: SpanAction[] = [];
  const timeMs = snapshotTime(snapshot, now, before);
  const { events, seen } = newEvents(before.seenEvents, snapshot, timeMs, now.unixMs);
  const number = progress.epoch === undefined ? undefined : Math.floor(progress.epoch);
  let run: OpenRun = { ...before, seenEvents: seen };
  let pending = events;
  if (run.epoch !== undefined && number !== undefined && number > run.epoch.number) {
    const isInEndedEpoch = (event: (typeof events)[number]) => event.timeMs <= before.latest.timeMs;
    run = addEvents(run, events.filter(isInEndedEpoch));
    pending = events.filter((event) => !isInEndedEpoch(event));
    const ended = endOpenEpoch(run);
    actions.push(...ended.actions);
    run = ended.run;
  }
  if (run.epoch === undefined && number !== undefined)
    run = { ...run, epoch: openEpoch(before, number, snapshot, timeMs, timeline.sawRunStart) };
  run = addEvents(run, pending);
  const open: OpenRun = {
    ...run,
    latest: { timeMs, monotonicMs: now.monotonicMs },
    epoch: run.epoch && withValues(run.epoch, snapshot.values),
    values: { ...run.values, ...snapshot.values },
    nonFiniteLosses: updateNonFinite(run.nonFiniteLosses, snapshot),
  };
  return { timeline: { ...timeline, open }, actions };
}

/** A loss that is absent from the snapshot stays as it was. */
function updateNonFinite(
  before: OpenRun['nonFiniteLosses'],
  { values, nonFinite }: Snapshot,
): OpenRun['nonFiniteLosses'] {
  const next = [...before].filter(([field]) => !Object.hasOwn(values, field));
  return new Map([...next, ...[...nonFinite].filter(([field]) => lossFields.has(field))]);
}

function endRun(timeline: Timeline, ended: Run): Advanced {
  const { open } = timeline;
  if (open === undefined) return { timeline, actions: [] };
  const { run, actions } = endOpenEpoch(open);
  const outcome = outcomeOf(ended, run);
  const endMs = Math.max(run.startMs, run.latest.timeMs);
  const span: FinishedSpan = {
    startMs: run.startMs,
    endMs,
    attributes: { ...run.identity, ...runSpanAttributes(run, ended, outcome) },
    events: newestEvents([...run.events, ...exceptionOf(ended, endMs)]),
  };
  return {
    timeline: { ...timeline, open: undefined, previous: run.key },
    actions: [...actions, { kind: 'run_ended', span, outcome }],
  };
}

function endOpenEpoch(open: OpenRun): { readonly run: OpenRun; readonly actions: readonly SpanAction[] } {
  const { epoch } = open;
  if (epoch === undefined) return { run: open, actions: [] };
  const { run, span } = endEpoch(open, epoch);
  return { run, actions: [{ kind: 'epoch_ended', epoch: epoch.number, partial: epoch.partial, span }] };
}

function exceptionOf({ latest: { error } }: Run, timeMs: number): OpenRun['events'] {
  if (error === undefined) return [];
  const { name, attributes } = spanEvents.exception;
  const [type, message] = attributes;
  return [{ name, timeMs, attributes: { [type]: error.type || 'Error', [message]: error.message } }];
}
