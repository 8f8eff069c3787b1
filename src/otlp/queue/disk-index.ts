import { maxRequestBytes, withinBytes } from '../export-request.ts';
import type { QueuedFile } from './queue-folder.ts';

/** The files of the disk queue. The functions below change it; they do no I/O. */
export interface DiskIndex<R> {
  /** Files of the requests that are also in memory, oldest first. */
  readonly inMemory: Map<R, QueuedFile>;
  /** Files of the requests that are only on disk, oldest first. */
  onlyOnDisk: QueuedFile[];
  /** Files of `onlyOnDisk` that are being read or exported. They must not be removed to make room. */
  readonly leased: Set<QueuedFile>;
  /** Files that are not on disk yet. */
  readonly unwritten: Set<QueuedFile>;
  /** Size of all files. */
  bytes: number;
}

export const createDiskIndex = <R>(): DiskIndex<R> => ({
  inMemory: new Map(),
  onlyOnDisk: [],
  leased: new Set(),
  unwritten: new Set(),
  bytes: 0,
});

/** Adds the files that were on disk before the first request was stored. */
export function addFound<R>(index: DiskIndex<R>, files: readonly QueuedFile[]): void {
  index.onlyOnDisk = [...files, ...index.onlyOnDisk];
  for (const file of files) index.bytes += file.bytes;
}

/** Adds the file of a request in memory, before it is written. */
export function addUnwritten<R>(index: DiskIndex<R>, request: R, file: QueuedFile): void {
  index.inMemory.set(request, file);
  index.unwritten.add(file);
  index.bytes += file.bytes;
}

/** Call it when a request is removed from memory. Returns whether it has a file. */
export function releaseFromMemory<R>({ inMemory, onlyOnDisk }: DiskIndex<R>, request: R): boolean {
  const file = inMemory.get(request);
  if (file === undefined) return false;
  inMemory.delete(request);
  // A request that was in flight leaves memory after newer ones.
  onlyOnDisk.splice(onlyOnDisk.findLastIndex(({ name }) => name < file.name) + 1, 0, file);
  return true;
}

/** Removes and returns the file of a request in memory; undefined if it has none. */
export function removeOfRequest<R>(index: DiskIndex<R>, request: R): QueuedFile | undefined {
  const file = index.inMemory.get(request);
  if (file === undefined) return undefined;
  index.inMemory.delete(request);
  index.bytes -= file.bytes;
  return file;
}

/** Removes a file that is only on disk; false if it is not among them. */
export function removeOnlyOnDisk<R>(index: DiskIndex<R>, file: QueuedFile): boolean {
  const position = index.onlyOnDisk.indexOf(file);
  if (position < 0) return false;
  index.onlyOnDisk.splice(position, 1);
  index.bytes -= file.bytes;
  return true;
}

/** Whether the write of the oldest file that is not leased has not ended yet. */
export function isOldestUnwritten<R>({ onlyOnDisk, leased, unwritten }: DiskIndex<R>): boolean {
  const oldest = onlyOnDisk.find((file) => !leased.has(file));
  return oldest !== undefined && unwritten.has(oldest);
}

/** The oldest files that are written, are not leased and together fit one export; at least one, if there is any. */
export function readableFiles<R>({ onlyOnDisk, leased, unwritten }: DiskIndex<R>): readonly QueuedFile[] {
  const free = onlyOnDisk.filter((file) => !leased.has(file));
  const end = free.findIndex((file) => unwritten.has(file));
  return withinBytes(end < 0 ? free : free.slice(0, end), maxRequestBytes);
}

export interface RemovedFile {
  readonly file: QueuedFile;
  /** Whether the request is not in memory either. */
  readonly isLost: boolean;
}

/** Removes the oldest file that is not leased; undefined if there is none. */
export function removeOldest<R>(index: DiskIndex<R>): RemovedFile | undefined {
  const oldest = index.onlyOnDisk.find((file) => !index.leased.has(file));
  if (oldest !== undefined) {
    removeOnlyOnDisk(index, oldest);
    return { file: oldest, isLost: true };
  }
  const [first] = index.inMemory;
  if (first === undefined) return undefined;
  const [request, file] = first;
  removeOfRequest(index, request);
  return { file, isLost: false };
}
