import { setTimeout as sleep } from 'node:timers/promises';

/** A writer that does not replace the file by rename is caught in the middle now and then; it is done by then. */
const tornRetryMs = 50;

/** Reads, and once more where what was read may be a file that was half written. */
export async function rereadTorn<T>(read: () => Promise<T>, statusOf: (result: T) => string): Promise<T> {
  const result = await read();
  const status = statusOf(result);
  if (status !== 'malformed' && status !== 'empty') return result;
  await sleep(tornRetryMs);
  return read();
}
