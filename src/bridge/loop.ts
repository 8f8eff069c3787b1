import type { Clock } from '../common/clock.ts';
import type { Logger } from '../common/logger.ts';
import { pause } from '../common/timing.ts';
import type { Config } from '../config/bridge.ts';
import { applySnapshot, applyTime } from '../run/advance.ts';
import type { PollTime, Run, Transition } from '../run/run.ts';
import type { Poll } from '../snapshot/poll.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { BoundedPoller } from './bounded-poller.ts';
import type { EventLog } from './log-events.ts';
import { afterExport, afterPoll, idleMs, type Schedule, startSchedule } from './schedule.ts';
import { shouldExit } from './should-exit.ts';

/** What the loop works with, and its state. */
export interface Loop {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly poller: BoundedPoller;
  readonly telemetry: Telemetry;
  readonly eventLog: EventLog;
  readonly onPoll: ((poll: Poll) => void) | undefined;
  readonly startedMs: number;
  readonly counts: { polls: number; snapshots: number; runs: number };
  run: Run | undefined;
}

/** Polls and exports until the signal is aborted or, in container mode, the run is over. */
export async function pollUntilDone(loop: Loop): Promise<void> {
  const { config, clock, signal, telemetry } = loop;
  const now = () => clock().monotonicMs;
  let schedule = startSchedule(loop.startedMs);
  while (!signal.aborted) {
    const polled = now() >= schedule.nextPollMs;
    let hasNews = polled && (await pollOnce(loop));
    if (polled) schedule = afterPoll(schedule, now(), config);
    if (isDone(loop)) return;
    if (hasNews || now() >= schedule.nextExportMs) {
      if (!polled) hasNews = await passTime(loop);
      await telemetry.collect(hasNews ? 'snapshot' : 'heartbeat');
      schedule = afterExport(schedule, now(), config);
    }
    schedule = await untilDue(loop, schedule);
  }
}

/** Polls the file once and updates the run. Says whether there is news, which is exported at once. */
export async function pollOnce(loop: Loop): Promise<boolean> {
  const { config, counts, telemetry, eventLog } = loop;
  const poll = await loop.poller.poll();
  const snapshot = poll.outcome.status === 'ok' ? poll.outcome.snapshot : undefined;
  const time: PollTime = { ...poll.moment, fileAgeMs: poll.snapshotAgeMs ?? 0 };
  counts.polls += 1;
  if (snapshot) counts.snapshots += 1;
  telemetry.polled(poll);
  eventLog.polled(poll.outcome);
  const transition = snapshot
    ? applySnapshot(loop.run, snapshot, time, config)
    : applyTime(loop.run, time, config);
  await applyTransition(loop, transition, time, snapshot);
  loop.onPoll?.(poll);
  return snapshot !== undefined || transition.events.length > 0;
}

/** Time passes for the run between polls, too: values go stale, however long COLLECTION_INTERVAL is. */
async function passTime(loop: Loop): Promise<boolean> {
  await loop.poller.stat();
  const time: PollTime = { ...loop.clock(), fileAgeMs: loop.poller.ages().snapshotAgeMs ?? 0 };
  const transition = applyTime(loop.run, time, loop.config);
  await applyTransition(loop, transition, time);
  return transition.events.length > 0;
}

/** Takes over what a poll or the time made of the run: into the log, the metrics and the spans. */
export async function applyTransition(
  loop: Loop,
  transition: Transition,
  time: PollTime,
  snapshot?: Snapshot,
): Promise<void> {
  loop.run = transition.run;
  for (const event of transition.events) {
    if (event.kind === 'run_began') loop.counts.runs += 1;
    loop.eventLog.runEvent(event);
  }
  await loop.telemetry.follow(transition, snapshot, time);
}

function isDone({ run, poller, clock, startedMs, config, log }: Loop): boolean {
  const uptimeMs = clock().monotonicMs - startedMs;
  const reason = shouldExit({ run, fileAgeMs: poller.ages().fileAgeMs, uptimeMs }, config);
  if (reason !== undefined) log.info({ reason }, 'Exiting by itself, because SIDECAR_MODE is container');
  return reason !== undefined;
}

/** Waits until something is due. A read that hung and has returned is taken at once, not at the next poll. */
async function untilDue({ clock, signal, poller }: Loop, schedule: Schedule): Promise<Schedule> {
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
