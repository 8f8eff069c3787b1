import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { findLogs } from './find-logs.ts';
import { readAt } from './fingerprint.ts';
import { detectFormat } from './formats/detect.ts';

const detectedBytes = 65_536;

/** Whether a file is a log, by its first bytes, or a folder holds one. Never throws. */
export async function isLog(path: string): Promise<boolean> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if ((await handle.stat()).isDirectory()) {
        const logs = await findLogs(path);
        // A file may have taken the place of the folder meanwhile; the next poll reads it.
        return logs !== undefined && !logs.paths.includes(path);
      }
      return detectFormat(path, await readAt(handle, 0, detectedBytes)) !== 'json';
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}
