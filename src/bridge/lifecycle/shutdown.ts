import type { Logger } from '../../common/logger.ts';

export type ShutdownCause =
  | { readonly kind: 'signal'; readonly name: NodeJS.Signals }
  /** An error that nothing caught: the program itself is wrong, but what was measured is still worth sending. */
  | { readonly kind: 'error'; readonly error: unknown };

export interface Shutdown {
  /** Aborted by the first signal or uncaught error; its reason is the `ShutdownCause`. */
  readonly signal: AbortSignal;
  /** From now on the deadline holds, and uncaught errors begin a shutdown, too. Call it once. */
  arm(options: ShutdownOptions): void;
  /** Removes the handlers. */
  release(): void;
}

export interface ShutdownOptions {
  readonly log: Logger;
  /** Longest time between the first signal and the exit, whatever hangs. */
  readonly timeoutMs: number;
  /** Ends the process at once. */
  readonly exit: (exitCode: number) => void;
}

const signalNumbers = { SIGTERM: 15, SIGINT: 2 } as const;
type SignalName = keyof typeof signalNumbers;
const signalNames = Object.keys(signalNumbers) as SignalName[];

/**
 * timeout(1), npm and a terminal's Ctrl-C signal a process and its group, so the process may get one signal twice, a
 * moment apart. A second signal this soon may be such a repetition: it leaves the flush a second.
 */
const repetitionMs = 100;
const afterRepetitionMs = 1_000;

/**
 * Turns signals into one AbortSignal, from the call on. There is no log and no deadline yet, because both need the
 * configuration: `arm` makes up for what has happened until then. A second signal, a second uncaught error and the
 * deadline end the process at once.
 */
export function listenForShutdown(): Shutdown {
  const controller = new AbortController();
  let armed: ShutdownOptions | undefined;
  let beganMs = Number.NaN;
  let mayBeRepetition = false;
  const timers: NodeJS.Timeout[] = [];

  function begin(cause: ShutdownCause): void {
    beganMs = performance.now();
    mayBeRepetition = true;
    const onOver = () => {
      mayBeRepetition = false;
    };
    timers.push(afterEventsOf(repetitionMs, onOver));
    controller.abort(cause);
    if (armed) onBegun(armed, cause);
  }

  function onBegun({ log, timeoutMs, exit }: ShutdownOptions, cause: ShutdownCause): void {
    if (cause.kind === 'signal') log.info({ signal: cause.name }, 'Shutting down');
    const onDeadline = () => {
      log.error({ timeoutMs }, 'Shutdown took longer than SHUTDOWN_TIMEOUT: exiting');
      exit(cause.kind === 'error' ? 1 : 0);
    };
    timers.push(setTimeout(onDeadline, beganMs + timeoutMs - performance.now()));
  }

  function onSignal(name: NodeJS.Signals): void {
    if (!controller.signal.aborted) return begin({ kind: 'signal', name });
    if (mayBeRepetition)
      timers.push(setTimeout(() => exitBySignal(name as SignalName), afterRepetitionMs).unref());
    else exitBySignal(name as SignalName);
  }

  function exitBySignal(name: SignalName): void {
    armed?.log.warn({ signal: name }, 'Second signal: exiting at once');
    // The exit code a shell reports for a process that was ended by a signal.
    (armed?.exit ?? process.exit)(128 + signalNumbers[name]);
  }

  function onError(error: unknown): void {
    armed?.log.error({ err: error }, 'Unexpected error: flushing and exiting');
    if (controller.signal.aborted) armed?.exit(1);
    else begin({ kind: 'error', error });
  }

  for (const name of signalNames) process.on(name, onSignal);
  return {
    signal: controller.signal,
    arm(options) {
      armed = options;
      process.on('uncaughtException', onError);
      process.on('unhandledRejection', onError);
      if (controller.signal.aborted) onBegun(options, controller.signal.reason);
    },
    release() {
      for (const timer of timers) clearTimeout(timer);
      for (const name of signalNames) process.off(name, onSignal);
      process.off('uncaughtException', onError);
      process.off('unhandledRejection', onError);
    },
  };
}

/** Calls back after this time, once the signals that arrived until then were handled, however busy the machine is. */
const afterEventsOf = (ms: number, callback: () => void): NodeJS.Timeout =>
  setTimeout(() => setImmediate(callback), ms).unref();
