import { setTimeout as sleep } from 'node:timers/promises';

/** A writer that does not replace the file by rename needs far less to finish a write. */
const rereadAfterMs = 50;

/** Reads a file, and reads it a second time if it may have been half-written. */
export async function rereadTorn<T>(read: () => Promise<T>, statusOf: (result: T) => string): Promise<T> {
  const result = await read();
  const status = statusOf(result);
  if (status !== 'malformed' && status !== 'empty') return result;
  await sleep(rereadAfterMs);
  return read();
}
