import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../config/bridge.ts';

export type { Logger } from 'pino';

/** JSON lines, to stdout unless told otherwise. */
export function createLogger(
  level: Config['logLevel'],
  destination: DestinationStream = standardOutput(),
): Logger {
  return pino(
    {
      level: level === 'critical' ? 'fatal' : level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label === 'fatal' ? 'critical' : label }) },
    },
    destination,
  );
}

/** Synchronous: there are few lines, and the last ones before a crash matter most. */
function standardOutput(): DestinationStream {
  const destination = pino.destination({ fd: 1, sync: true });
  // Whoever read the log has gone; that is no reason to stop measuring.
  destination.on('error', () => undefined);
  return destination;
}

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Logs what lasts when it begins and when it ends, and not at every poll in between. */
export interface Conditions {
  raise(name: string, level: Level, details: Record<string, unknown>, message: string): void;
  clear(name: string, message: string, details?: Record<string, unknown>): void;
  /** The same for all whose name begins so, in one line. */
  clearAll(prefix: string, message: string, details?: Record<string, unknown>): void;
  /** Forgets without a word all whose name begins so: what they were about is gone. */
  discard(prefix: string): void;
}

export function createConditions(log: Logger): Conditions {
  const times = new Map<string, number>();
  const take = (names: readonly string[]) => {
    const counts = names.flatMap((name) => times.get(name) ?? []);
    for (const name of names) times.delete(name);
    return counts;
  };
  const beginning = (prefix: string) => [...times.keys()].filter((name) => name.startsWith(prefix));
  const end = (names: readonly string[], message: string, details: Record<string, unknown> = {}) => {
    const counts = take(names);
    if (counts.length > 0)
      log.info({ ...details, times: counts.reduce((sum, count) => sum + count) }, message);
  };
  return {
    raise(name, level, details, message) {
      const before = times.get(name) ?? 0;
      times.set(name, before + 1);
      if (before === 0) log[level](details, message);
    },
    clear: (name, message, details) => end([name], message, details),
    clearAll: (prefix, message, details) => end(beginning(prefix), message, details),
    discard: (prefix) => void take(beginning(prefix)),
  };
}
