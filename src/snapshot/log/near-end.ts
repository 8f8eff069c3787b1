import type { FileHandle } from 'node:fs/promises';
import type { LogFormat } from '../../catalogue/file-formats.ts';
import type { FilePosition } from './file-position.ts';
import { fingerprintAt, readAt } from './fingerprint.ts';
import { createDecoder } from './formats/create-decoder.ts';
import { uncountedHistory } from './record-history.ts';

/** A file of this size is read in a moment. */
const smallBytes = 4 * 1_048_576;
const windowBytes = 1_048_576;
const headBytes = 65_536;

/**
 * A position near the end of a large file, from where the last records are read; undefined if the file is small. Event
 * files have no separator between records, so reading cannot begin in the middle.
 */
export async function positionNearEnd(
  handle: FileHandle,
  format: LogFormat,
): Promise<FilePosition | undefined> {
  const { size } = await handle.stat();
  if (size <= smallBytes || format === 'tensorboard') return undefined;
  const window = await readAt(handle, size - windowBytes, windowBytes);
  const lineBreak = window.indexOf('\n');
  const offset = size - windowBytes + lineBreak + 1;
  const decoder = await createDecoder(format);
  decoder.push(await readAt(handle, 0, headBytes));
  return {
    offset: lineBreak < 0 ? size : offset,
    columns: decoder.columns,
    fingerprint: await fingerprintAt(handle, lineBreak < 0 ? size : offset),
    history: uncountedHistory,
  };
}
