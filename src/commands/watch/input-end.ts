import { Socket } from 'node:net';

/**
 * Aborts with the signal, or when a pipe at standard input ends. `kubectl exec -i` whose connection is lost closes that
 * pipe and sends no signal, so `watch` would stay in the container and use its memory. A file or /dev/null, which end
 * at once, do not count.
 */
export function whileConnected(stdin: NodeJS.ReadableStream, signal: AbortSignal): AbortSignal {
  const isPipe = stdin instanceof Socket && !('isTTY' in stdin && stdin.isTTY);
  if (!isPipe) return signal;
  const ended = new AbortController();
  const end = () => ended.abort();
  stdin.once('end', end).once('error', end).resume().unref();
  return AbortSignal.any([signal, ended.signal]);
}
