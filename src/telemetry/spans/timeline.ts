import { spanEvents } from '../../catalogue/spans.ts';
import type { PollTime, Run, RunIdentity, Transition } from '../../run/run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { identityAttributes, outcomeOf, type RunOutcome, runSpanAttributes } from './attributes.ts';
import { endEpoch, openEpoch, withValues } from './epoch.ts';
import { losses, newEvents, noticed } from './events.ts';
import type { RunKey } from './ids.ts';
import { addEvents, type FinishedSpan, newest, type OpenRun } from './open-run.ts';

/** From run to run. Pure, as `run/` is: the same timeline, transition and moment give the same steps. */
export interface Timeline {
  /** Of this process: names the runs of a file that does not. */
  readonly instanceId: string;
  /** Whether the bridge was there first, so that the first snapshot it sees of a run is the run's first. */
  readonly watched: boolean;
  readonly open: OpenRun | undefined;
  /** The run that ended last. */
  readonly former: RunKey | undefined;
  readonly runs: number;
}

/** What is to be told, in order. */
export type SpanAction =
  | { readonly kind: 'run_began'; readonly run: OpenRun }
  | {
      readonly kind: 'epoch_ended';
      readonly epoch: number;
      /** Its beginning was not seen. */
      readonly partial: boolean;
      readonly span: FinishedSpan;
    }
  | { readonly kind: 'run_ended'; readonly span: FinishedSpan; readonly verdict: RunOutcome };

interface Advanced {
  readonly timeline: Timeline;
  readonly steps: readonly SpanAction[];
}

export const newTimeline = (instanceId: string): Timeline => ({
  instanceId,
  watched: false,
  open: undefined,
  former: undefined,
  runs: 0,
});

/** Takes a transition of the run, and the snapshot that made it where that is the run's own. */
export function advanceTimeline(
  before: Timeline,
  { run, events }: Transition,
  snapshot: Snapshot | undefined,
  now: PollTime,
): Advanced {
  let timeline = before;
  const steps: SpanAction[] = [];
  const then = (advanced: Advanced) => {
    timeline = advanced.timeline;
    steps.push(...advanced.steps);
  };
  for (const event of events) {
    if (event.kind === 'run_ended' && event.reason === 'replaced') then(endRun(timeline, event.run));
    if (event.kind === 'run_began') then(beginRun(timeline, event.run, now));
  }
  if (run !== undefined && snapshot !== undefined) then(takeSnapshot(timeline, run, snapshot, now));
  if (timeline.open !== undefined) {
    const open = addEvents(timeline.open, noticed(events, timeline.open, now));
    timeline = { ...timeline, open };
  }
  for (const event of events) {
    if (event.kind === 'run_ended' && event.reason !== 'replaced') then(endRun(timeline, event.run));
  }
  return { timeline: { ...timeline, watched: timeline.watched || run !== undefined }, steps };
}

const timeOf = ({ timestampMs }: Snapshot, now: PollTime) => timestampMs ?? now.unixMs;

function beginRun(timeline: Timeline, run: Run, now: PollTime): Advanced {
  const { identity, labels, latest } = run;
  const runs = timeline.runs + 1;
  const key: RunKey = {
    ...identity,
    rank: labels.rank,
    standIn: standInFor(identity, timeline.instanceId, runs),
  };
  const timeMs = timeOf(latest, now);
  const open: OpenRun = {
    key,
    job: latest.job,
    identity: identityAttributes(run, latest.job),
    // Nothing of a run is before its beginning; a start_time that is later was written by a clock that is ahead.
    startMs: Math.min(identity.startTimeMs ?? timeMs, timeMs),
    latest: { timeMs, monotonicMs: now.monotonicMs },
    epoch: undefined,
    values: {},
    notFinite: new Map(),
    bestValidationLoss: undefined,
    events: [],
    taken: new Set(),
  };
  const previousMs = restartOf(timeline.former, key);
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
      watched: timeline.watched && !goesOnNamed(timeline.former, key),
    },
    steps: [{ kind: 'run_began', run: began }],
  };
}

/** Without start_time a later run in the same file would be taken for the first one come back. */
function standInFor({ startTimeMs }: RunIdentity, instanceId: string, runs: number): string {
  return startTimeMs === undefined ? `${instanceId} ${runs}` : instanceId;
}

/** A run that gives its name late is in the middle of an epoch when it does. */
function goesOnNamed(former: RunKey | undefined, { jobId, startTimeMs }: RunKey): boolean {
  if (former === undefined || former.jobId !== undefined || jobId === undefined) return false;
  return former.startTimeMs === undefined || former.startTimeMs === startTimeMs;
}

/** The start time of the run before, where it was the same job. */
function restartOf(former: RunKey | undefined, { jobId, startTimeMs }: RunKey): number | undefined {
  if (jobId === undefined || former?.jobId !== jobId || former.startTimeMs === startTimeMs) return undefined;
  return former.startTimeMs;
}

function takeSnapshot(timeline: Timeline, { progress }: Run, snapshot: Snapshot, now: PollTime): Advanced {
  const before = timeline.open;
  if (before === undefined) return { timeline, steps: [] };
  const steps: SpanAction[] = [];
  const timeMs = timeOf(snapshot, now);
  const { events, taken } = newEvents(before.taken, snapshot, timeMs);
  const number = progress.epoch === undefined ? undefined : Math.floor(progress.epoch);
  let run: OpenRun = { ...before, taken };
  let pending = events;
  if (run.epoch !== undefined && number !== undefined && number > run.epoch.number) {
    const isOfIt = (event: (typeof events)[number]) => event.timeMs <= before.latest.timeMs;
    run = addEvents(run, events.filter(isOfIt));
    pending = events.filter((event) => !isOfIt(event));
    const ended = endOpenEpoch(run);
    steps.push(...ended.steps);
    run = ended.run;
  }
  if (run.epoch === undefined && number !== undefined)
    run = { ...run, epoch: openEpoch(before, number, snapshot, timeMs, timeline.watched) };
  run = addEvents(run, pending);
  const open: OpenRun = {
    ...run,
    latest: { timeMs, monotonicMs: now.monotonicMs },
    epoch: run.epoch && withValues(run.epoch, snapshot.values),
    values: { ...run.values, ...snapshot.values },
    notFinite: stillNotFinite(run.notFinite, snapshot),
  };
  return { timeline: { ...timeline, open }, steps };
}

/** A snapshot that says nothing of a loss leaves it as it was. */
function stillNotFinite(before: OpenRun['notFinite'], { values, nonFinite }: Snapshot): OpenRun['notFinite'] {
  const next = [...before].filter(([field]) => !Object.hasOwn(values, field));
  return new Map([...next, ...[...nonFinite].filter(([field]) => losses.has(field))]);
}

function endRun(timeline: Timeline, ended: Run): Advanced {
  const { open } = timeline;
  if (open === undefined) return { timeline, steps: [] };
  const { run, steps } = endOpenEpoch(open);
  const verdict = outcomeOf(ended, run);
  const endMs = Math.max(run.startMs, run.latest.timeMs);
  const span: FinishedSpan = {
    startMs: run.startMs,
    endMs,
    attributes: { ...run.identity, ...runSpanAttributes(run, ended, verdict) },
    events: newest([...run.events, ...exceptionOf(ended, endMs)]),
  };
  return {
    timeline: { ...timeline, open: undefined, former: run.key },
    steps: [...steps, { kind: 'run_ended', span, verdict }],
  };
}

function endOpenEpoch(open: OpenRun): { readonly run: OpenRun; readonly steps: readonly SpanAction[] } {
  const { epoch } = open;
  if (epoch === undefined) return { run: open, steps: [] };
  const { run, span } = endEpoch(open, epoch);
  return { run, steps: [{ kind: 'epoch_ended', epoch: epoch.number, partial: epoch.partial, span }] };
}

function exceptionOf({ latest: { error } }: Run, timeMs: number): OpenRun['events'] {
  if (error === undefined) return [];
  const { name, attributes } = spanEvents.exception;
  const [type, message] = attributes;
  return [{ name, timeMs, attributes: { [type]: error.type || 'Error', [message]: error.message } }];
}
