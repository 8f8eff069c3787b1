import type { DiskCalls } from './disk-calls.ts';
import { addFound, type DiskIndex, removeOfRequest, removeOldest, removeOnlyOnDisk } from './disk-index.ts';
import type { QueuedFile, QueueFolder } from './queue-folder.ts';

/** The folder of the disk queue, and what is known of the files in it. */
export interface DiskFiles<R> extends DiskFilesOptions {
  readonly index: DiskIndex<R>;
  readonly calls: DiskCalls;
}

export interface DiskFilesOptions {
  readonly folder: QueueFolder;
  readonly maxBytes: number;
  readonly onFound: (count: number) => void;
  readonly onLost: (reason: LostReason) => void;
  /** Called after each write with its error, if it failed, and while a call hangs. */
  readonly onWritten: (error: NodeJS.ErrnoException | undefined) => void;
}

/** The disk queue is full, or a file cannot be written or read. */
export type LostReason = 'queue_dir_full' | 'queue_dir_failed';

/** Creates the folder, and adds the files that are in it to the index. */
export async function openFolder<R>(files: DiskFiles<R>): Promise<void> {
  const { folder, index, onFound, onWritten } = files;
  try {
    const found = await folder.open();
    addFound(index, found);
    if (found.length > 0) onFound(found.length);
    makeRoom(files);
  } catch (error) {
    onWritten(error as NodeJS.ErrnoException);
  }
}

/** Writes the file of a request. If that fails, the request is only in memory; if it has left memory, it is lost. */
export async function writeFile<R>(
  { folder, index, onLost, onWritten }: DiskFiles<R>,
  request: R,
  file: QueuedFile,
  content: Uint8Array,
): Promise<void> {
  try {
    await folder.write(file.name, content);
    onWritten(undefined);
  } catch (error) {
    const isInMemory = removeOfRequest(index, request) !== undefined;
    if (!isInMemory && removeOnlyOnDisk(index, file)) onLost('queue_dir_failed');
    onWritten(error as NodeJS.ErrnoException);
  } finally {
    index.unwritten.delete(file);
  }
}

/** Starts to delete a file that was removed from the index. */
export function deleteFile<R>({ folder, calls }: DiskFiles<R>, file: QueuedFile): void {
  calls.enqueue(() => folder.remove(file.name));
}

/** Removes the oldest files until the others are within the limit. Those that are leased are kept. */
export function makeRoom<R>(files: DiskFiles<R>): void {
  const { index, maxBytes, onLost } = files;
  while (index.bytes > maxBytes) {
    const removed = removeOldest(index);
    if (removed === undefined) return;
    if (removed.isLost) onLost('queue_dir_full');
    deleteFile(files, removed.file);
  }
}
