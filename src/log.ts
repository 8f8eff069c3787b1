import { inspect } from 'node:util';
import type { Config } from './config.ts';

const levels = ['debug', 'info', 'warn', 'error', 'critical'] as const;

export type Level = Exclude<(typeof levels)[number], 'critical'>;

interface Write {
  (message: string): void;
  /** An error stands under `err`. */
  (details: object, message: string): void;
}

export type Logger = Readonly<Record<Level, Write>>;

/** Takes one line at a time. */
export interface Destination {
  write(line: string): unknown;
}

/** JSON lines, to stdout unless told otherwise. Nothing here has the bridge log at `critical`: it silences all. */
export function createLogger(level: Config['logLevel'], destination: Destination = standardOutput()): Logger {
  const at = (name: Level): Write => {
    if (levels.indexOf(name) < levels.indexOf(level)) return () => undefined;
    return (first: string | object, message?: string) => {
      const { err, ...details }: Readonly<Record<string, unknown>> =
        typeof first === 'string' ? { message: first } : { ...first, message };
      const time = new Date().toISOString();
      const line = { level: name, time, ...(err !== undefined && { err: describe(err) }), ...details };
      destination.write(`${JSON.stringify(line)}\n`);
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** With its causes and what else it carries, whatever it is. */
function describe(error: unknown) {
  const { name: type, message } =
    error instanceof Error ? error : { name: typeof error, message: String(error) };
  return { type, message, stack: inspect(error) };
}

/** Synchronous for files and pipes: the last lines before a crash matter most. */
function standardOutput(): Destination {
  // Whoever read the log has gone; that is no reason to stop measuring.
  if (process.stdout.listenerCount('error', ignore) === 0) process.stdout.on('error', ignore);
  return process.stdout;
}

const ignore = () => undefined;

/** Logs what lasts when it begins and when it ends, and not at every poll in between. */
export interface Conditions {
  holds(name: string, level: Level, details: Record<string, unknown>, message: string): void;
  isOver(name: string, message: string, details?: Record<string, unknown>): void;
  /** The same for all whose name begins so, in one line. */
  areOver(prefix: string, message: string, details?: Record<string, unknown>): void;
  /** Forgets without a word all whose name begins so: what they were about is gone. */
  forget(prefix: string): void;
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
    holds(name, level, details, message) {
      const before = times.get(name) ?? 0;
      times.set(name, before + 1);
      if (before === 0) log[level](details, message);
    },
    isOver: (name, message, details) => end([name], message, details),
    areOver: (prefix, message, details) => end(beginning(prefix), message, details),
    forget: (prefix) => void take(beginning(prefix)),
  };
}
