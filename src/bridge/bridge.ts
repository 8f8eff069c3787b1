import type { Clock } from '../common/clock.ts';
import { createConditions, type Logger } from '../common/logger.ts';
import { pause, settlesWithin, withAbortGrace } from '../common/timing.ts';
import type { Config } from '../config/bridge.ts';
import { applySnapshot, applyTime, endRun } from '../run/advance.ts';
import type { PollTime, Run, RunPolicy, Transition } from '../run/run.ts';
import { createPoller, type Poll } from '../snapshot/poll.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { bridgeResource } from '../telemetry/resource.ts';
import type { Spans, SpansOptions } from '../telemetry/spans/spans.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { createEventLog } from './log-events.ts';

export interface BridgeOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  /** Ends the loop; everything that waits is flushed then. */
  readonly signal: AbortSignal;
  readonly hostName: string;
  readonly version: string;
  /** Called after every turn of the loop, for health. */
  readonly onPoll?: (poll: Poll) => void;
}

/** What was done, for the last log line. */
export interface BridgeSummary {
  readonly polls: number;
  readonly snapshots: number;
  readonly runs: number;
  readonly exports: Readonly<Record<string, number>>;
  /** Snapshots that were not delivered by the deadline. */
  readonly undelivered: number;
  readonly seconds: number;
  /** What ended the loop, where that was an error in the program. */
  readonly error?: unknown;
}

/** A part of the time that SIGTERM gives is kept for ending the process itself. */
const flushShare = 0.9;

/** And a part of it is the most that a read under way may take when the bridge is told to stop: a volume may hang. */
const hangShare = 0.25;

/** Polls the file until it is told to stop, or until the run is over in container mode. */
export async function runBridge({
  config,
  log,
  clock,
  signal,
  hostName,
  version,
  onPoll,
}: BridgeOptions): Promise<BridgeSummary> {
  const conditions = createConditions(log);
  const resource = bridgeResource(config, hostName, version);
  const spans = await openSpans({ resource, version, clock, log, conditions }, config.traces);
  const telemetry = createTelemetry({ config, resource, version, clock, conditions, spans });
  const poller = createPoller(config.metricsFilePath, clock);
  const reporter = createEventLog(log, conditions, config.metricsFilePath);
  const policy: RunPolicy = config;
  const started = clock().monotonicMs;
  const count = { polls: 0, snapshots: 0, runs: 0 };
  let run: Run | undefined;
  let stoppedMonotonicMs: number | undefined;
  const noteStop = () => {
    stoppedMonotonicMs = clock().monotonicMs;
  };
  signal.addEventListener('abort', noteStop, { once: true });

  async function take(transition: Transition, now: PollTime, snapshot?: Snapshot): Promise<void> {
    run = transition.run;
    for (const event of transition.events) {
      if (event.kind === 'run_began') count.runs += 1;
      reporter.runEvent(event);
    }
    await telemetry.follow(transition, snapshot, now);
  }

  /** Reads the file once and follows where it leads. What is new leaves at once. */
  async function look(): Promise<{ readonly isNews: boolean; readonly fileAgeMs: number | undefined }> {
    const poll = await poller.poll();
    const snapshot = poll.outcome.status === 'ok' ? poll.outcome.snapshot : undefined;
    const now = { ...poll.moment, fileAgeMs: poll.snapshotAgeMs ?? 0 };
    const transition = snapshot ? applySnapshot(run, snapshot, now, policy) : applyTime(run, now, policy);
    count.polls += 1;
    if (snapshot) count.snapshots += 1;
    telemetry.polled(poll);
    reporter.polled(poll.outcome);
    await take(transition, now, snapshot);
    onPoll?.(poll);
    return { isNews: snapshot !== undefined || transition.events.length > 0, fileAgeMs: poll.fileAgeMs };
  }

  async function loop(): Promise<void> {
    let nextPoll = started;
    let nextExport = started;
    while (!signal.aborted) {
      let isNews = false;
      if (clock().monotonicMs >= nextPoll) {
        const seen = await withAbortGrace(look(), signal, config.shutdownTimeoutMs * hangShare);
        if (seen === undefined) return;
        isNews = seen.isNews;
        nextPoll = Math.max(nextPoll + config.collectionIntervalMs, clock().monotonicMs);
        if (endsItself(seen.fileAgeMs)) return;
      }
      if (isNews || clock().monotonicMs >= nextExport) {
        await telemetry.collect(isNews ? 'snapshot' : 'heartbeat');
        nextExport = clock().monotonicMs + config.exportIntervalMs;
      }
      await pause(Math.min(nextPoll, nextExport) - clock().monotonicMs, signal);
    }
  }

  /** Without a native sidecar nobody tells the bridge that the trainer is done, and a Job waits for all its containers. */
  function endsItself(fileAgeMs: number | undefined): boolean {
    if (config.sidecarMode !== 'container') return false;
    const aloneMs = clock().monotonicMs - started;
    const idleMs = Math.min(fileAgeMs ?? aloneMs, aloneMs);
    const isOver = run?.state === 'completed' || run?.state === 'failed';
    if (!isOver && idleMs < config.exitAfterStaleMs) return false;
    const reason = isOver
      ? `the run has ${run?.state}`
      : `no write for EXIT_AFTER_STALE, ${config.exitAfterStaleMs / 1000} s`;
    log.info({ reason }, 'Ending by itself, as SIDECAR_MODE=container has it');
    return true;
  }

  /** The last word: the file once more, the end of the run, and all that waits, which goes out whatever else fails. */
  async function finish(): Promise<number> {
    const deadline = (stoppedMonotonicMs ?? clock().monotonicMs) + config.shutdownTimeoutMs * flushShare;
    // A volume that hangs gets half of the time.
    await surely(() => settlesWithin((deadline - clock().monotonicMs) / 2, look()));
    await surely(async () => run && take(endRun(run, 'stopped'), { ...clock(), fileAgeMs: 0 }));
    await surely(() => telemetry.collect('snapshot', true));
    return telemetry.close(deadline);
  }

  async function surely(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log.error({ err: error }, 'An error at the end: going on with what is left to do');
    }
  }

  const failure = await loop().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const undelivered = await finish();
  const seconds = Math.round((clock().monotonicMs - started) / 100) / 10;
  return { ...count, exports: telemetry.sent, undelivered, seconds, ...failure };
}

/** Loaded only where it is asked for: every training node would pay for the memory. */
async function openSpans(
  options: Omit<SpansOptions, 'config'>,
  config: Config['traces'],
): Promise<Spans | undefined> {
  if (config === undefined) return undefined;
  const { createSpans } = await import('../telemetry/spans/spans.ts');
  return createSpans({ ...options, config });
}
