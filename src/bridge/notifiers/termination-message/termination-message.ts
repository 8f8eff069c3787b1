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

/** Without creating the file. The container may have been restarted, so it may have a longer content. */
async function replaceContent(path: string, content: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_TRUNC);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}
