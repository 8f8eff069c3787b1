import { open } from 'node:fs/promises';
import { readAt } from './fingerprint.ts';
import { detectFormat } from './formats/detect.ts';

const detectedBytes = 65_536;

/** Whether a file is a log, by its first bytes. Never throws. */
export async function isLog(path: string): Promise<boolean> {
  try {
    const handle = await open(path);
    try {
      return detectFormat(path, await readAt(handle, 0, detectedBytes)) !== 'json';
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}
