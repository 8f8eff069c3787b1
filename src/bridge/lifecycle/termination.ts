import type { Logger } from '../../common/logger.ts';

export type Cause =
  | { readonly kind: 'signal'; readonly name: NodeJS.Signals }
  /** An error that nothing caught: the program itself is wrong, but what was measured is still worth sending. */
  | { readonly kind: 'error'; readonly error: unknown };

export interface Termination {
  /** Aborted by the first signal or escaped error; its reason is the `Cause`. */
  readonly signal: AbortSignal;
  /** Takes the handlers off again. */
  release(): void;
}

export interface TerminationOptions {
  readonly log: Logger;
  /** Longest time between the first signal and the end, whatever hangs. */
  readonly timeoutMs: number;
  /** Ends the process at once. */
  readonly leave: (exitCode: number) => void;
}

const signals = { SIGTERM: 15, SIGINT: 2 } as const;

/**
 * timeout(1), npm and a terminal's Ctrl-C signal a process and its group, so that one act arrives twice, a moment apart.
 * A second signal this soon may be the first one's echo: it leaves the flush a second instead of cutting it off.
 */
const echoMs = 100;
const afterEchoMs = 1_000;

/** Turns signals and escaped errors into one abort. A second signal, a second error or the deadline leave at once. */
export function onTermination({ log, timeoutMs, leave }: TerminationOptions): Termination {
  const controller = new AbortController();
  let deadline: NodeJS.Timeout | undefined;
  let echo: NodeJS.Timeout | undefined;
  let begunMonotonicMs = Number.NEGATIVE_INFINITY;

  function begin(cause: Cause): void {
    deadline = setTimeout(() => {
      log.error({ timeoutMs }, 'Shutdown took longer than SHUTDOWN_TIMEOUT: leaving');
      leave(cause.kind === 'error' ? 1 : 0);
    }, timeoutMs);
    deadline.unref();
    begunMonotonicMs = performance.now();
    controller.abort(cause);
  }
  function onSignal(name: NodeJS.Signals): void {
    if (controller.signal.aborted) return leaveSoon(name);
    log.info({ signal: name }, 'Shutting down');
    begin({ kind: 'signal', name });
  }
  function leaveSoon(name: NodeJS.Signals): void {
    // As a shell reports a process that a signal ended.
    const now = () => {
      log.warn({ signal: name }, 'Second signal: leaving at once');
      leave(128 + signals[name as keyof typeof signals]);
    };
    if (performance.now() - begunMonotonicMs > echoMs) now();
    else echo ??= setTimeout(now, afterEchoMs).unref();
  }
  function onError(error: unknown): void {
    log.error({ err: error }, 'Unexpected error: flushing and leaving');
    if (controller.signal.aborted) leave(1);
    else begin({ kind: 'error', error });
  }

  for (const name of Object.keys(signals)) process.on(name, onSignal);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return {
    signal: controller.signal,
    release() {
      clearTimeout(deadline);
      clearTimeout(echo);
      for (const name of Object.keys(signals)) process.off(name, onSignal);
      process.off('uncaughtException', onError);
      process.off('unhandledRejection', onError);
    },
  };
}
