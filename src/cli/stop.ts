import type { Output } from './terminal/output.ts';

/** What ends a command before it is done. */
export interface Stop {
  /** From the first call on, SIGINT and SIGTERM abort this signal. */
  readonly signal: () => AbortSignal;
  /** Why standard output could not be written; undefined where it could, or where its reader went away. */
  readonly outputError: () => string | undefined;
  /** Removes all handlers. */
  readonly release: () => void;
}

/** After this time a further signal ends the process: npm passes on a Ctrl-C that the terminal has sent already. */
const graceMs = 1000;

/** Turns SIGINT, SIGTERM and the end of standard output's reader, such as `head`, into an AbortSignal. */
export function createStop(output: Output): Stop {
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
      if (!handled) process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
      handled = true;
      return controller.signal;
    },
    outputError: () => outputError,
    release: () => {
      clearTimeout(grace);
      stopHandling();
      output.off('error', onError);
    },
  };
}
