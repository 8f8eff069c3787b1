import type { Output } from './terminal/output.ts';

/** Ends a command early. */
export interface Stop {
  /** From the first call on, SIGINT and SIGTERM abort this signal. */
  readonly signal: () => AbortSignal;
  /** Resolves when standard output has taken everything, or cannot, or the command was stopped. */
  readonly flushed: () => Promise<void>;
  /** Why standard output could not be written; undefined if there was no error, or only EPIPE. */
  readonly outputError: () => string | undefined;
  /** Removes all handlers. */
  readonly release: () => void;
}

/** A signal after this time ends the process. An earlier one is ignored: npm forwards a Ctrl-C that the terminal has already sent. */
const graceMs = 1000;

/**
 * Turns SIGINT, SIGTERM and the end of standard output's reader, such as `head`, into an AbortSignal.
 *
 * @param given replaces SIGINT and SIGTERM
 */
export function createStop(output: Output, given?: () => AbortSignal): Stop {
  const controller = new AbortController();
  let outputError: string | undefined;
  let grace: NodeJS.Timeout | undefined;
  const stopHandling = () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  const onSignal = () => {
    controller.abort();
    grace ??= setTimeout(stopHandling, graceMs).unref();
  };
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') outputError = error.message;
    controller.abort();
  };
  output.on('error', onError);
  let handled = false;
  return {
    signal: () => {
      if (given) return given();
      if (!handled) process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
      handled = true;
      return controller.signal;
    },
    // A pipe takes 64 KiB at a time, and its reader may be slow.
    flushed: () => settled(output, AbortSignal.any([controller.signal, ...(given ? [given()] : [])])),
    outputError: () => outputError,
    release: () => {
      clearTimeout(grace);
      stopHandling();
      output.off('error', onError);
    },
  };
}

/** Resolves when what was written before has been passed on or has failed, or the signal is aborted. */
function settled(output: Output, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stopped.aborted) resolve();
    stopped.addEventListener('abort', () => resolve(), { once: true });
    output.write('', () => resolve());
  });
}
