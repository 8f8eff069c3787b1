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

/**
 * Logs a condition once when it begins and once when it ends, not at every poll in between. If it begins and ends again
 * and again, each of the two lines is logged at most once a minute, with the number of changes since the last one.
 */
export interface Conditions {
  raise(name: string, level: Level, details: Record<string, unknown>, message: string): void;
  clear(name: string, message: string, details?: Record<string, unknown>): void;
  /** Clears every condition whose name has this prefix, with one log line, which is not held back. */
  clearAll(prefix: string, message: string, details?: Record<string, unknown>): void;
  /** Ends a condition without logging, because another one takes its place. */
  replace(name: string): void;
  /** Removes every condition whose name has this prefix without logging, because its subject no longer exists. */
  discard(prefix: string): void;
  /** Logs the lines that were held back for a minute and are still true. Call it at each poll. */
  flush(): void;
}

interface Condition {
  holds: boolean;
  /** Whether the last line said that it holds. */
  isLogged: boolean;
  /** How often it was raised since a line said that it is over. */
  times: number;
  /** How often it began or ended since the last line. */
  changes: number;
  line: { readonly level: Level; readonly details: Record<string, unknown>; readonly message: string };
  /** When the last lines said that it begins and that it ends, in monotonic milliseconds. */
  beganMs: number;
  endedMs: number;
}

const shortestIntervalMs = 60_000;

export function createConditions(log: Logger, nowMs: () => number = () => performance.now()): Conditions {
  const conditions = new Map<string, Condition>();

  function logLine(condition: Condition): void {
    const { holds, isLogged, times, changes, line } = condition;
    const now = nowMs();
    const lastMs = holds ? condition.beganMs : condition.endedMs;
    if (holds === isLogged || now - lastMs < shortestIntervalMs) return;
    log[line.level](
      { ...line.details, ...(!holds && { times }), ...(changes > 1 && { changes }) },
      line.message,
    );
    condition.isLogged = holds;
    condition.changes = 0;
    if (holds) condition.beganMs = now;
    else {
      condition.endedMs = now;
      condition.times = 0;
    }
  }

  function change(condition: Condition, holds: boolean): void {
    if (condition.holds !== holds) condition.changes += 1;
    condition.holds = holds;
  }

  /** Whether nothing is left to say, and the next line would not be held back. */
  const isOver = ({ holds, isLogged, beganMs, endedMs }: Condition) =>
    !holds && !isLogged && nowMs() - Math.max(beganMs, endedMs) >= shortestIntervalMs;

  const withPrefix = (prefix: string) => [...conditions.keys()].filter((name) => name.startsWith(prefix));
  const remove = (prefix: string) => {
    for (const name of withPrefix(prefix)) conditions.delete(name);
  };

  return {
    raise(name, level, details, message) {
      const condition = conditions.get(name) ?? newCondition();
      conditions.set(name, condition);
      condition.times += 1;
      if (condition.holds && condition.isLogged) return;
      change(condition, true);
      condition.line = { level, details, message };
      logLine(condition);
    },
    clear(name, message, details = {}) {
      const condition = conditions.get(name);
      if (!condition?.holds) return;
      change(condition, false);
      condition.line = { level: 'info', details, message };
      logLine(condition);
    },
    clearAll(prefix, message, details) {
      const times = withPrefix(prefix).reduce((sum, name) => sum + (conditions.get(name)?.times ?? 0), 0);
      remove(prefix);
      if (times > 0) log.info({ ...details, times }, message);
    },
    replace(name) {
      const condition = conditions.get(name);
      if (condition === undefined) return;
      change(condition, false);
      condition.isLogged = false;
    },
    discard: remove,
    flush() {
      for (const [name, condition] of conditions) {
        logLine(condition);
        if (isOver(condition)) conditions.delete(name);
      }
    },
  };
}

const newCondition = (): Condition => ({
  holds: false,
  isLogged: false,
  times: 0,
  changes: 0,
  line: { level: 'info', details: {}, message: '' },
  beganMs: Number.NEGATIVE_INFINITY,
  endedMs: Number.NEGATIVE_INFINITY,
});
