import { settlesWithin } from '../../common/timing.ts';
import { longestHangMs } from './disk-calls.ts';
import { type DiskFiles, deleteFile } from './disk-files.ts';
import { isOldestUnwritten, readableFiles, removeOnlyOnDisk } from './disk-index.ts';
import type { Encoding } from './encoding.ts';
import type { Lease } from './lease.ts';
import type { QueuedFile } from './queue-folder.ts';

export interface DiskReader<R> {
  readonly files: DiskFiles<R>;
  readonly encoding: Encoding<R>;
  /** Marks the run in a request of another bridge as ended, because that bridge no longer runs and cannot do it. */
  readonly asEnded: (request: R) => R;
}

const longestReadMs = 1_000;
const emptyLease: Lease<never> = { requests: [], ack: () => undefined, nack: () => undefined };

/** Gives leases of the oldest requests that are only on disk and together fit one export; empty while the disk hangs. */
export function createDiskLeases<R>(reader: DiskReader<R>): () => Promise<Lease<R>> {
  const { index, calls } = reader.files;
  let isOpen = false;
  let lateRead: Promise<void> = Promise.resolve();

  /** Waits until the oldest file is written. While it waits, another file may become the oldest. */
  async function oldestWritten(): Promise<void> {
    do await calls.settled();
    while (isOldestUnwritten(index));
  }

  return async () => {
    if ((isOpen && index.onlyOnDisk.length === 0) || calls.hangs) return emptyLease;
    const isIdle = await settlesWithin(longestHangMs, Promise.all([oldestWritten(), lateRead]));
    isOpen = true;
    if (!isIdle) return emptyLease;
    const reading = leaseFiles(reader, readableFiles(index));
    if (await calls.isInTime(reading)) return reading;
    lateRead = reading.then((lease) => lease.nack());
    return emptyLease;
  };
}

/** Reads files into a lease. Incomplete files are lost. */
async function leaseFiles<R>(reader: DiskReader<R>, wanted: readonly QueuedFile[]): Promise<Lease<R>> {
  const { files } = reader;
  const { leased } = files.index;
  // From here on: a file that is being read must not be removed to make room and counted as lost.
  for (const file of wanted) leased.add(file);
  const requests = await readFirst(reader, wanted);
  for (const file of wanted.slice(requests.length)) leased.delete(file);
  const open = new Map<R, QueuedFile>();
  for (const [position, file] of wanted.slice(0, requests.length).entries()) {
    const request = requests[position];
    if (request === undefined) loseIncomplete(files, file);
    else open.set(request, file);
  }
  return leaseOf(files, open);
}

/**
 * Reads as many of the files as a slow volume returns in a second. They are read one by one: a volume that hangs must not
 * occupy all threads of libuv's pool, because reading the metrics file needs one.
 */
async function readFirst<R>(
  reader: DiskReader<R>,
  wanted: readonly QueuedFile[],
): Promise<readonly (R | undefined)[]> {
  const requests: (R | undefined)[] = [];
  const startMs = performance.now();
  for (const file of wanted) {
    if (requests.length > 0 && performance.now() - startMs > longestReadMs) break;
    requests.push(await readRequest(reader, file));
  }
  return requests;
}

/** Undefined if the file is missing or incomplete. */
async function readRequest<R>(
  { files, encoding, asEnded }: DiskReader<R>,
  { name, isOrphan }: QueuedFile,
): Promise<R | undefined> {
  const content = await files.folder.read(name);
  const request = content && encoding.decode(content);
  return request !== undefined && isOrphan === true ? asEnded(request) : request;
}

function loseIncomplete<R>(files: DiskFiles<R>, file: QueuedFile): void {
  files.index.leased.delete(file);
  removeOnlyOnDisk(files.index, file);
  files.onLost('queue_dir_failed');
  deleteFile(files, file);
}

/** @param open the requests that are neither acknowledged nor returned, with their files */
function leaseOf<R>(files: DiskFiles<R>, open: Map<R, QueuedFile>): Lease<R> {
  const { leased } = files.index;
  return {
    requests: [...open.keys()],
    ack(requests) {
      for (const request of requests) {
        const file = open.get(request);
        if (file === undefined) continue;
        open.delete(request);
        leased.delete(file);
        if (removeOnlyOnDisk(files.index, file)) deleteFile(files, file);
      }
    },
    nack() {
      for (const file of open.values()) leased.delete(file);
      open.clear();
    },
  };
}
