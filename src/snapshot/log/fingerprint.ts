import { type FileHandle, open } from 'node:fs/promises';

/** Bytes of a file by which it is recognized: its first ones, and the last ones before an offset. */
export interface Fingerprint {
  readonly head: Buffer;
  readonly tail: Buffer;
  /** Offset of the byte after `tail`. */
  readonly end: number;
}

const headBytes = 1_024;
const tailBytes = 512;

export const noFingerprint: Fingerprint = { head: Buffer.alloc(0), tail: Buffer.alloc(0), end: 0 };

/** The fingerprint after `bytes`, which follow those that `before` was made of. */
export function extendFingerprint(before: Fingerprint, bytes: Uint8Array): Fingerprint {
  const missing = headBytes - before.head.length;
  return {
    head: missing > 0 ? Buffer.concat([before.head, bytes.subarray(0, missing)]) : before.head,
    tail: Buffer.concat([before.tail, bytes.subarray(-tailBytes)]).subarray(-tailBytes),
    end: before.end + bytes.length,
  };
}

/** The fingerprint of what a file holds before an offset. */
export async function fingerprintAt(handle: FileHandle, offset: number): Promise<Fingerprint> {
  const tailStart = Math.max(0, offset - tailBytes);
  return {
    head: await readAt(handle, 0, Math.min(headBytes, offset)),
    tail: await readAt(handle, tailStart, offset - tailStart),
    end: offset,
  };
}

/** Whether the file still holds, at the same offsets, the bytes that were read. */
export async function matchesFingerprint(
  handle: FileHandle,
  { head, tail, end }: Fingerprint,
): Promise<boolean> {
  const tailStart = end - tail.length;
  return (
    (await readAt(handle, 0, head.length)).equals(head) &&
    (await readAt(handle, tailStart, tail.length)).equals(tail)
  );
}

const firstBytes = 65_536;

/** The first 64 KiB of a file; empty if it cannot be read. */
export async function firstBytesOf(path: string): Promise<Buffer> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return Buffer.alloc(0);
  try {
    return await readAt(handle, 0, firstBytes);
  } finally {
    await handle.close();
  }
}

/** At most `length` bytes from an offset on; fewer at the end of the file. */
export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(buffer, read, length - read, offset + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}
