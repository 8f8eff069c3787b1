import { type DestinationStream, type Logger, pino } from 'pino';
import { createLogOutput } from './log-output.ts';

export type { Logger } from 'pino';

/** The lowest level that is logged. */
export type LogLevel = Level | 'critical';

/** Logs JSON lines, to standard output unless another destination is given. */
export function createLogger(level: LogLevel, destination: DestinationStream = createLogOutput()): Logger {
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

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Logs a condition once when it begins and once when it ends, not at every poll in between. */
export interface Conditions {
  raise(name: string, level: Level, details: Record<string, unknown>, message: string): void;
  clear(name: string, message: string, details?: Record<string, unknown>): void;
  /** Clears every condition whose name has this prefix, with one log line. */
  clearAll(prefix: string, message: string, details?: Record<string, unknown>): void;
  /** Removes every condition whose name has this prefix without logging, because its subject no longer exists. */
  discard(prefix: string): void;
}

export function createConditions(log: Logger): Conditions {
  const times = new Map<string, number>();
  const remove = (names: readonly string[]) => {
    const counts = names.flatMap((name) => times.get(name) ?? []);
    for (const name of names) times.delete(name);
    return counts;
  };
  const withPrefix = (prefix: string) => [...times.keys()].filter((name) => name.startsWith(prefix));
  const end = (names: readonly string[], message: string, details: Record<string, unknown> = {}) => {
    const counts = remove(names);
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
    clearAll: (prefix, message, details) => end(withPrefix(prefix), message, details),
    discard: (prefix) => void remove(withPrefix(prefix)),
  };
}
