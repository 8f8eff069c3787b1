import type { Conditions } from '../../../common/logger.ts';
import type { HeartbeatConfig } from '../../../config/heartbeat.ts';
import type { Notifier, NotifierOptions } from '../notifier.ts';
import { createPing, type PingResult } from './ping.ts';
import { createHeartbeatSender } from './sender.ts';
import { advanceSignals, type HeartbeatSignal, initialSignals } from './signals.ts';

const requestTimeoutMs = 10_000;

/** A beat follows within a minute, so nothing is gained by trying for longer. */
const retryDelaysMs = [1_000, 5_000, 20_000];

/** The end of the bridge waits at most this long for a monitor, however much of SHUTDOWN_TIMEOUT is left. */
const maxCloseMs = 3_000;

/** Tells a heartbeat monitor outside of the cluster how the run is, so that its owner hears of the loss of the cluster, too. */
export function createHeartbeat(
  config: HeartbeatConfig,
  { clock, conditions, version }: Omit<NotifierOptions, 'log'>,
): Notifier {
  const sender = createHeartbeatSender({
    ping: createPing(config, `ml-metrics-bridge/${version}`),
    onResult: (signal, result) => logResult(conditions, signal, result),
    requestTimeoutMs,
    retryDelaysMs,
  });
  let state = initialSignals;
  return {
    follow(transition, now) {
      const next = advanceSignals(state, transition, now);
      state = next.state;
      for (const signal of next.signals) sender.push(signal);
    },
    close: (_summary, deadlineMonotonicMs) =>
      sender.close(Math.min(maxCloseMs, deadlineMonotonicMs - clock().monotonicMs)),
  };
}

function logResult(conditions: Conditions, { kind }: HeartbeatSignal, result: PingResult): void {
  if (result.status === 'ok') return conditions.clear('heartbeat', 'Heartbeats are delivered again');
  const isUnknownPath =
    result.status === 'rejected' &&
    (kind === 'start' || kind === 'fail') &&
    [404, 405].includes(result.httpStatus);
  const { reason } = result;
  if (isUnknownPath)
    conditions.raise(
      `no_heartbeat_${kind}`,
      'info',
      { reason },
      `The heartbeat monitor does not know /${kind}: it is told only by beats`,
    );
  else conditions.raise('heartbeat', 'warn', { signal: kind, reason }, 'Heartbeat is not delivered');
}
