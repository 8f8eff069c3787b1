import type { Clock, Moment } from '../common/clock.ts';
import { spreadOf } from '../common/jitter.ts';
import type { Logger } from '../common/logger.ts';
import { pause, settlesWithin } from '../common/timing.ts';
import { applySnapshot, applyTime, endRun } from '../run/advance.ts';
import type { PollTime, RunEvent, Transition } from '../run/run.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { maxSnapshotsOfPoll, type Poll } from '../snapshot/source.ts';
import type { CollectionTrigger } from '../telemetry/collections.ts';
import { type Bridge, type BridgeOptions, createBridge } from './create-bridge.ts';
import { afterExport, afterPoll, type Intervals, idleMs, type Schedule, startSchedule } from './schedule.ts';
import { outlivesRun, shouldExit } from './should-exit.ts';

/** What the bridge has done, for the last log line. */
export interface BridgeSummary {
  readonly polls: number;
  readonly snapshots: number;
  readonly runs: number;
  readonly exports: Readonly<Record<string, number>>;
  /** Records of a log that were not read by the deadline. */
  readonly passedOver: number;
  /** Snapshots that were not delivered by the deadline. */
  readonly undelivered: number;
  readonly seconds: number;
  /** What ended the loop, if that was an error in the program. */
  readonly error?: unknown;
}

/** The shares of SHUTDOWN_TIMEOUT after which the flush and the notifiers are stopped. Ending the process takes the rest. */
const flushShare = 0.9;
const notifyShare = 0.95;
/** The share of SHUTDOWN_TIMEOUT in which the rest of a log may be read. */
const readShare = 0.5;
/** Limit of the last calls to the volumes of the export queue and of the metrics file, which may hang. */
const lastFileCallMs = 200;

/** Polls the file until the signal is aborted or, in container mode, the run is over. Then flushes the queue. */
export async function runBridge(options: BridgeOptions): Promise<BridgeSummary> {
  const { clock, signal } = options;
  const bridge = await createBridge(options);
  const stoppedMs = timeOfAbort(signal, clock);
  const failure = await pollUntilDone(bridge).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const undelivered = await finish(bridge, stoppedMs() ?? clock().monotonicMs);
  const seconds = Math.round((clock().monotonicMs - bridge.startedMs) / 100) / 10;
  return { ...bridge.counts, exports: bridge.telemetry.sent, undelivered, seconds, ...failure };
}

/** Polls and exports until the signal is aborted or, in container mode, the run is over. */
async function pollUntilDone(bridge: Bridge): Promise<void> {
  const { config, clock, signal, telemetry, random } = bridge;
  const jitter = { random, spreadMs: spreadOf(config.exportIntervalMs) };
  const now = () => clock().monotonicMs;
  let schedule = startSchedule(bridge.startedMs, intervalsOf(bridge), jitter);
  while (!signal.aborted) {
    const polled = now() >= schedule.nextPollMs;
    let change = polled ? await pollOnce(bridge) : undefined;
    if (polled) schedule = schedulePoll(bridge, schedule);
    if (isDone(bridge)) return;
    if (change !== undefined || now() >= schedule.nextExportMs) {
      if (!polled) change = await passTimeBetweenPolls(bridge);
      await telemetry.collect(triggerOf(bridge, change));
      schedule = afterExport(schedule, now(), config, change === 'event' ? jitter : undefined);
    }
    bridge.positions.update();
    schedule = await untilDue(bridge, schedule);
  }
}

/** What has changed and has to be exported after a poll, or after time has passed. Undefined: at most a heartbeat is due. */
type RunChange = Extract<CollectionTrigger, 'snapshot' | 'event'>;

/** An alert may depend on these events, so they do not wait for EXPORT_MIN_INTERVAL either. */
const urgentEvents: ReadonlySet<RunEvent['kind']> = new Set([
  'run_began',
  'run_ended',
  'stalled',
  'went_stale',
  'became_non_finite',
]);

function changeOf({ events }: Transition, snapshot?: Snapshot): RunChange | undefined {
  if (events.some(({ kind }) => urgentEvents.has(kind))) return 'event';
  return snapshot !== undefined || events.length > 0 ? 'snapshot' : undefined;
}

/** The records of a log are queued one by one. The state after them is sent with them, until a later state replaces it. */
function triggerOf({ poller, hasMore }: Bridge, change: RunChange | undefined): CollectionTrigger {
  if (poller.content === 'state') return change ?? 'heartbeat';
  return change === 'snapshot' && !hasMore ? 'records' : 'heartbeat';
}

/** A log is polled this often, because a record without a time of its own gets the time at which its write was found. */
const logIntervalMs = 1_000;
/** A log is polled this often while the export queue is half full. */
const fullQueueIntervalMs = 250;

function intervalsOf({ config, poller }: Bridge): Intervals {
  const { collectionIntervalMs, exportIntervalMs } = config;
  const limitMs = poller.content === 'records' ? logIntervalMs : Number.POSITIVE_INFINITY;
  return { collectionIntervalMs: Math.min(collectionIntervalMs, limitMs), exportIntervalMs };
}

/** If a log has more records, they are read at once, as long as the export queue takes them. */
function schedulePoll(bridge: Bridge, schedule: Schedule): Schedule {
  const { clock, telemetry } = bridge;
  const nowMs = clock().monotonicMs;
  if (bridge.hasMore)
    return { ...schedule, nextPollMs: nowMs + (telemetry.room > 0 ? 0 : fullQueueIntervalMs) };
  return afterPoll(schedule, nowMs, intervalsOf(bridge));
}

/** Polls the file once and updates the run. */
async function pollOnce(bridge: Bridge): Promise<RunChange | undefined> {
  return applyPoll(bridge, await bridge.poller.poll(snapshotLimit(bridge)));
}

async function applyPoll(bridge: Bridge, poll: Poll): Promise<RunChange | undefined> {
  const { config, counts, telemetry, eventLog } = bridge;
  await bridge.rankFiles?.refresh(bridge.run?.identity.startTimeMs);
  const snapshots = poll.outcome.status === 'ok' ? poll.outcome.snapshots : [];
  if (poll.outcome.status === 'missing') bridge.startedWithoutFile ||= bridge.run === undefined;
  const time = timeOf(bridge, poll.moment, poll.snapshotAgeMs);
  counts.polls += 1;
  counts.snapshots += snapshots.length;
  telemetry.polled(poll);
  eventLog.polled(poll);
  bridge.hasMore = poll.more ?? false;
  counts.passedOver += poll.passedOver ?? 0;
  let change = snapshots.length === 0 ? await passTime(bridge, time) : undefined;
  const policy = { ...config, content: bridge.poller.content };
  for (const { snapshot, timeMs } of snapshots) {
    const transition = applySnapshot(bridge.run, snapshot, time, policy);
    await applyTransition(bridge, transition, time, snapshot);
    if (timeMs !== undefined) await telemetry.collectRecord(timeMs);
    if (change !== 'event') change = changeOf(transition, snapshot);
  }
  bridge.positions.polled(poll);
  bridge.onPoll?.(poll);
  return change;
}

/** A log is read only while the export queue is less than half full. The other records are read later. */
const snapshotLimit = ({ telemetry }: Bridge) => Math.min(maxSnapshotsOfPoll, telemetry.room);

/** The time of a poll. A log source finds out by itself whether a log is older than the bridge. */
function timeOf(bridge: Bridge, moment: Moment, fileAgeMs = 0): PollTime {
  const { startedMs, startedWithoutFile, poller } = bridge;
  const isNew = startedWithoutFile || poller.content === 'records';
  const startedMonotonicMs = isNew ? undefined : startedMs;
  return { ...moment, fileAgeMs, startedMonotonicMs, foundAtStart: !startedWithoutFile };
}

/** Values go stale between polls, too, however long COLLECTION_INTERVAL is. */
async function passTimeBetweenPolls(bridge: Bridge): Promise<RunChange | undefined> {
  await bridge.poller.stat();
  return passTime(bridge, timeOf(bridge, bridge.clock(), bridge.poller.ages().snapshotAgeMs));
}

/** Applies the time to the run while no snapshot is new. */
async function passTime(bridge: Bridge, time: PollTime): Promise<RunChange | undefined> {
  const transition = applyTime(bridge.run, time, bridge.config);
  await applyTransition(bridge, transition, time);
  return changeOf(transition);
}

/** Makes the transition's run the current one and reports its events to the log, the metrics and the spans. */
async function applyTransition(
  bridge: Bridge,
  transition: Transition,
  time: PollTime,
  snapshot?: Snapshot,
): Promise<void> {
  bridge.run = transition.run;
  for (const event of transition.events) {
    if (event.kind === 'run_began') bridge.counts.runs += 1;
    bridge.eventLog.runEvent(event);
  }
  // Before the export is awaited, so that the last signals are sent while it is flushed.
  bridge.notifiers.follow(transition, time);
  await bridge.telemetry.follow(transition, snapshot, time);
}

function isDone({ run, poller, clock, startedMs, config, log, eventLog }: Bridge): boolean {
  const { monotonicMs } = clock();
  if (outlivesRun({ run, monotonicMs }, config)) eventLog.outlivesRun();
  const reason = shouldExit({ run, fileAgeMs: poller.ages().fileAgeMs, startedMs, monotonicMs }, config);
  if (reason !== undefined) log.info({ reason }, 'Exiting by itself, because SIDECAR_MODE is container');
  return reason !== undefined;
}

/** Waits until a poll or an export is due. If a read that hung has returned, its result is used at once. */
async function untilDue({ clock, signal, poller }: Bridge, schedule: Schedule): Promise<Schedule> {
  const due = pause(idleMs(schedule, clock().monotonicMs), signal);
  const { late } = poller;
  if (late === undefined) {
    await due;
    return schedule;
  }
  const returned = late.then(
    () => true,
    () => true,
  );
  const hasReturned = await Promise.race([due.then(() => false), returned]);
  return hasReturned ? { ...schedule, nextPollMs: clock().monotonicMs } : schedule;
}

/** When the signal was aborted. The deadline counts from then, not from when the loop notices it. */
function timeOfAbort(signal: AbortSignal, clock: Clock): () => number | undefined {
  let abortedMs = signal.aborted ? clock().monotonicMs : undefined;
  const onAbort = () => {
    abortedMs = clock().monotonicMs;
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return () => abortedMs;
}

/** Polls once more, ends the run and flushes. If a step fails, the next ones still run. Returns the number of undelivered snapshots. */
async function finish(bridge: Bridge, stoppedMs: number): Promise<number> {
  const { config, log, clock, telemetry, notifiers } = bridge;
  await logErrors(log, () => readToEnd(bridge, stoppedMs + config.shutdownTimeoutMs * readShare));
  await logErrors(log, async () => {
    if (bridge.run)
      await applyTransition(bridge, endRun(bridge.run, 'stopped'), { ...clock(), fileAgeMs: 0 });
  });
  await logErrors(log, () => telemetry.collect('final'));
  const undelivered = await telemetry.close(stoppedMs + config.shutdownTimeoutMs * flushShare);
  bridge.positions.update();
  await settlesWithin(lastFileCallMs, bridge.positions.written());
  await notifiers.close(
    { undelivered, traceId: telemetry.traceId },
    stoppedMs + config.shutdownTimeoutMs * notifyShare,
  );
  await settlesWithin(lastFileCallMs, bridge.poller.close());
  return undelivered;
}

/** Reads a log to its end. If there is no time for all of it, reads its last records, because their values remain visible. */
async function readToEnd(bridge: Bridge, deadlineMs: number): Promise<void> {
  do {
    await pollOnce(bridge);
    if (bridge.hasMore && bridge.telemetry.room === 0) await pause(fullQueueIntervalMs);
  } while (bridge.hasMore && bridge.clock().monotonicMs < deadlineMs);
  const last = bridge.hasMore ? await bridge.poller.pollLast() : undefined;
  if (last !== undefined) await applyPoll(bridge, last);
}

async function logErrors(log: Logger, step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch (error) {
    log.error({ err: error }, 'Error while shutting down; the remaining steps go on');
  }
}
