import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Logger } from '../../../common/logger.ts';
import type { Notifier } from '../notifier.ts';
import { advanceRecord, emptyRecord, terminationMessage } from './message.ts';

/** Writes a summary of the run when the bridge ends, for `kubectl describe pod`. */
export function createTerminationMessage(path: string, log: Logger): Notifier {
  let record = emptyRecord;
  return {
    follow(transition) {
      record = advanceRecord(record, transition);
    },
    async close(summary) {
      const message = terminationMessage(record, summary);
      await replaceContent(path, message).catch(({ code }: NodeJS.ErrnoException) =>
        log.warn({ path, reason: code }, 'Termination message cannot be written'),
      );
    },
  };
}

/**
 * Does not create the file. A container that was restarted may have left a longer content; it is cut off after the write,
 * so that a process that ends in between leaves no empty message.
 */
async function replaceContent(path: string, content: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY);
  try {
    const { bytesWritten } = await file.write(content, 0);
    await file.truncate(bytesWritten);
  } finally {
    await file.close();
  }
}
