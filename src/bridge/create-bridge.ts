import { join } from 'node:path';
import type { Clock } from '../common/clock.ts';
import type { Random } from '../common/jitter.ts';
import { type Conditions, createConditions, type Logger } from '../common/logger.ts';
import type { Config } from '../config/bridge.ts';
import type { ExportOutcome } from '../otlp/classify-response.ts';
import { positionFileName, queueFolderPath, runSpanFileName } from '../otlp/queue/queue-folder.ts';
import type { Run } from '../run/run.ts';
import { createSource } from '../snapshot/create-source.ts';
import { type BoundedPoller, createBoundedPoller } from '../snapshot/poll.ts';
import type { RankFiles } from '../snapshot/rank-files.ts';
import type { Poll } from '../snapshot/source.ts';
import { bridgeResource } from '../telemetry/resource.ts';
import type { Spans, SpansOptions } from '../telemetry/spans/spans.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { createKeptPositions, type KeptPositions } from './kept-positions.ts';
import { createEventLog, type EventLog } from './log-events.ts';
import type { Notifier } from './notifiers/notifier.ts';
import { openNotifiers } from './notifiers/notifiers.ts';

export interface BridgeOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  /** Ends the loop, after which the queue is flushed. */
  readonly signal: AbortSignal;
  readonly hostName: string;
  readonly version: string;
  /** Spreads the requests that many bridges would make at the same moment; Math.random by default. */
  readonly random?: Random;
  /** Log lines that were dropped so far, for the metric. */
  readonly logLinesDropped?: () => number;
  /** Called after each poll, for health. */
  readonly onPoll?: (poll: Poll) => void;
  /** Called after each export of metrics, for health. */
  readonly onExport?: (outcome: ExportOutcome) => void;
}

/** The parts of the bridge, and its state. */
export interface Bridge {
  readonly config: Config;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly poller: BoundedPoller;
  readonly telemetry: Telemetry;
  readonly positions: KeptPositions;
  /** Undefined unless RANK_FILES is set. */
  readonly rankFiles: RankFiles | undefined;
  readonly eventLog: EventLog;
  readonly notifiers: Notifier;
  readonly onPoll: ((poll: Poll) => void) | undefined;
  readonly startedMs: number;
  readonly counts: { polls: number; snapshots: number; runs: number; passedOver: number };
  /** Whether the next poll gives more snapshots even if the log is not written. */
  hasMore: boolean;
  run: Run | undefined;
  /** Whether there was no file at first. One that appears was then written later, whatever its modification time says. */
  startedWithoutFile: boolean;
}

/** The share of SHUTDOWN_TIMEOUT that one call to a volume may take: the volume may hang, and the flush needs time. */
const hangShare = 0.25;

/** A read of a slow network volume may take a second; this is far above, and far below the expiry of a series. */
const hungAfterMs = 5_000;

export async function createBridge(options: BridgeOptions): Promise<Bridge> {
  const { config, log, clock, signal, hostName, version, onPoll } = options;
  const { random = Math.random, logLinesDropped = () => 0, onExport = () => undefined } = options;
  const conditions = createConditions(log, () => clock().monotonicMs);
  const resource = bridgeResource(config, hostName, version);
  const stateFolder =
    config.exportQueueDir &&
    queueFolderPath(config.exportQueueDir, String(resource.attributes['service.instance.id']));
  const positionFile = stateFolder && join(stateFolder, positionFileName);
  const poller = createBoundedPoller(await createSource(config, clock, { positionFile }), {
    clock,
    signal,
    graceMs: config.shutdownTimeoutMs * hangShare,
    limitMs: hungAfterMs,
  });
  const rankFiles = await openRankFiles(config, conditions);
  const spansOptions = { resource, version, clock, random, log, conditions };
  const spans = await openSpans(spansOptions, config.traces, stateFolder);
  const fileAgeMs = () => poller.ages().fileAgeMs;
  const telemetry = createTelemetry({
    config,
    resource,
    version,
    clock,
    random,
    conditions,
    spans,
    fileAgeMs,
    logLinesDropped,
    onExport,
    otherRanks: ({ identity }) => rankFiles?.readingsOf(identity.startTimeMs) ?? [],
  });
  const positions = createKeptPositions(telemetry, (error) =>
    conditions.raise(
      'position',
      'warn',
      { path: positionFile, reason: String(error) },
      'Position in the log cannot be kept: after a restart, records may be missing',
    ),
  );
  return {
    config,
    log,
    clock,
    random,
    signal,
    poller,
    telemetry,
    positions,
    rankFiles,
    eventLog: createEventLog({ log, conditions, path: config.metricsFilePath, rank: config.rank }),
    notifiers: await openNotifiers(config, { clock, log, conditions, version }),
    onPoll,
    startedMs: clock().monotonicMs,
    counts: { polls: 0, snapshots: 0, runs: 0, passedOver: 0 },
    hasMore: false,
    run: undefined,
    startedWithoutFile: false,
  };
}

/** Loaded only if it is configured, like spans and notifiers. */
async function openRankFiles(
  { rankFiles: pattern, staleAfterMs }: Config,
  conditions: Conditions,
): Promise<RankFiles | undefined> {
  if (pattern === undefined) return undefined;
  const { createRankFiles } = await import('../snapshot/rank-files.ts');
  return createRankFiles({ pattern, staleAfterMs, conditions });
}

/** Loaded only if it is configured: every training node would pay for the memory. */
async function openSpans(
  options: Omit<SpansOptions, 'config' | 'store'>,
  config: Config['traces'],
  stateFolder: string | undefined,
): Promise<Spans | undefined> {
  if (config === undefined) return undefined;
  const { createSpans } = await import('../telemetry/spans/spans.ts');
  if (stateFolder === undefined) return createSpans({ ...options, config });
  const { openRunSpanStore } = await import('../telemetry/spans/run-span-store.ts');
  const store = await openRunSpanStore(join(stateFolder, runSpanFileName), options.conditions);
  return createSpans({ ...options, config, store });
}
