import type { Clock } from '../common/clock.ts';
import { createConditions, type Logger } from '../common/logger.ts';
import type { Config } from '../config/bridge.ts';
import { endRun } from '../run/advance.ts';
import { parseMetricsFile } from '../snapshot/interpret.ts';
import { createPoller, type Poll } from '../snapshot/poll.ts';
import { bridgeResource } from '../telemetry/resource.ts';
import type { Spans, SpansOptions } from '../telemetry/spans/spans.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { createBoundedPoller } from './bounded-poller.ts';
import { createEventLog } from './log-events.ts';
import { applyTransition, type Loop, pollOnce, pollUntilDone } from './loop.ts';

export interface BridgeOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  /** Ends the loop; everything that waits is flushed then. */
  readonly signal: AbortSignal;
  readonly hostName: string;
  readonly version: string;
  /** Log lines that were dropped so far, for the metric. */
  readonly logLinesDropped?: () => number;
  /** Called after each poll, for health. */
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
  /** What ended the loop, if that was an error in the program. */
  readonly error?: unknown;
}

/** The rest of SHUTDOWN_TIMEOUT is kept for ending the process itself. */
const flushShare = 0.9;

/** The share of SHUTDOWN_TIMEOUT that one call to a volume may take: the volume may hang, and the flush needs time. */
const hangShare = 0.25;

/** A read of a slow network volume may take a second; this is far above, and far below the expiry of a series. */
const hungAfterMs = 5_000;

/** Polls the file until it is told to stop, or until the run is over in container mode. Then flushes what waits. */
export async function runBridge(options: BridgeOptions): Promise<BridgeSummary> {
  const { clock, signal } = options;
  const loop = await createLoop(options);
  const stoppedMs = timeOfAbort(signal, clock);
  const failure = await pollUntilDone(loop).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const undelivered = await finish(loop, stoppedMs() ?? clock().monotonicMs);
  const seconds = Math.round((clock().monotonicMs - loop.startedMs) / 100) / 10;
  return { ...loop.counts, exports: loop.telemetry.sent, undelivered, seconds, ...failure };
}

async function createLoop(options: BridgeOptions): Promise<Loop> {
  const { config, log, clock, signal, hostName, version, onPoll, logLinesDropped = () => 0 } = options;
  const conditions = createConditions(log);
  const resource = bridgeResource(config, hostName, version);
  const poller = createBoundedPoller(
    createPoller({ path: config.metricsFilePath, clock, parse: parseMetricsFile }),
    {
      clock,
      signal,
      graceMs: config.shutdownTimeoutMs * hangShare,
      limitMs: hungAfterMs,
    },
  );
  const spans = await openSpans({ resource, version, clock, log, conditions }, config.traces);
  const fileAgeMs = () => poller.ages().fileAgeMs;
  return {
    config,
    log,
    clock,
    signal,
    poller,
    telemetry: createTelemetry({
      config,
      resource,
      version,
      clock,
      conditions,
      spans,
      fileAgeMs,
      logLinesDropped,
    }),
    eventLog: createEventLog(log, conditions, config.metricsFilePath),
    onPoll,
    startedMs: clock().monotonicMs,
    counts: { polls: 0, snapshots: 0, runs: 0 },
    run: undefined,
  };
}

/** Loaded only if it is configured: every training node would pay for the memory. */
async function openSpans(
  options: Omit<SpansOptions, 'config'>,
  config: Config['traces'],
): Promise<Spans | undefined> {
  if (config === undefined) return undefined;
  const { createSpans } = await import('../telemetry/spans/spans.ts');
  return createSpans({ ...options, config });
}

/** The deadline counts from the signal, not from when the loop came to see it. */
function timeOfAbort(signal: AbortSignal, clock: Clock): () => number | undefined {
  let abortedMs = signal.aborted ? clock().monotonicMs : undefined;
  const onAbort = () => {
    abortedMs = clock().monotonicMs;
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return () => abortedMs;
}

/** Polls once more, ends the run and flushes. No step keeps the next from being tried. Gives what was not delivered. */
async function finish(loop: Loop, stoppedMs: number): Promise<number> {
  const { config, log, clock, telemetry } = loop;
  await logErrors(log, () => pollOnce(loop));
  await logErrors(log, async () => {
    if (loop.run) await applyTransition(loop, endRun(loop.run, 'stopped'), { ...clock(), fileAgeMs: 0 });
  });
  await logErrors(log, () => telemetry.collect('final'));
  return telemetry.close(stoppedMs + config.shutdownTimeoutMs * flushShare);
}

async function logErrors(log: Logger, step: () => Promise<unknown>): Promise<void> {
  try {
    await step();
  } catch (error) {
    log.error({ err: error }, 'Error while shutting down; the remaining steps go on');
  }
}
