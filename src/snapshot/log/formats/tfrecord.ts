import { crc32c } from './crc32c.ts';
import { type DecoderOptions, maxRecordBytes } from './decoder.ts';
import type { ProblemLog } from './problems.ts';

/** The payload of one record, and the offset of the byte after the record, from the start of the file. */
export interface Frame {
  readonly data: Uint8Array;
  readonly end: number;
}

export interface FrameReader {
  push(bytes: Uint8Array): readonly Frame[];
  /** Bytes of the last record, which is not complete. */
  readonly pending: number;
}

const headerBytes = 12;
const footerBytes = 4;
/** Protobuf's limit for one message. A longer record is damaged. */
const maxMessageBytes = 2 ** 31;

/**
 * Source: TensorFlow, `tensorflow/core/lib/io/record_writer.h`: length (8 bytes, little-endian), masked CRC of the length, data, masked
 * CRC of the data.
 */
function maskedCrc(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Whether a record begins here: its length has the right checksum. No event is empty, so that zeros are passed over fast. */
export const isRecordHeader = (bytes: Buffer, at: number) =>
  bytes.readUInt32LE(at + 4) === 0 &&
  bytes.readUInt32LE(at) > 0 &&
  bytes.readUInt32LE(at) <= maxMessageBytes &&
  bytes.readUInt32LE(at + 8) === maskedCrc(bytes, at, at + 8);

/** Where the first record may begin: bytes at the end may be the beginning of one. */
export function nextRecordHeader(bytes: Buffer): number {
  let at = 0;
  while (at + headerBytes <= bytes.length && !isRecordHeader(bytes, at)) at++;
  return at;
}

/**
 * Reads the records of a TFRecord file. After a wrong checksum it searches for the next record, byte by byte. A record
 * longer than `maxRecordBytes`, such as an image or a graph, is passed over without being kept.
 */
export function createFrameReader({ offset = 0 }: DecoderOptions, problems: ProblemLog): FrameReader {
  /** Bytes from `position` on. */
  let held: Buffer = Buffer.alloc(0);
  let position = offset;
  /** Bytes of a long record that are still to come. */
  let toSkip = 0;
  let isDamaged = false;

  function skip(length: number): void {
    const skipped = Math.min(length, held.length);
    held = held.subarray(skipped);
    position += skipped;
    toSkip = length - skipped;
  }

  function damaged(): void {
    if (!isDamaged)
      problems.add(
        'checksum',
        `a record at byte ${position} has a wrong checksum; reading goes on at the next record`,
      );
    isDamaged = true;
    skip(1);
    skip(nextRecordHeader(held));
  }

  function nextFrame(): Frame | 'incomplete' | 'skipped' {
    if (held.length < headerBytes) return 'incomplete';
    if (!isRecordHeader(held, 0)) {
      damaged();
      return 'skipped';
    }
    const length = held.readUInt32LE(0);
    const total = headerBytes + length + footerBytes;
    if (length > maxRecordBytes) {
      isDamaged = false;
      skip(total);
      return 'skipped';
    }
    if (held.length < total) return 'incomplete';
    const data = held.subarray(headerBytes, headerBytes + length);
    if (maskedCrc(data, 0, length) !== held.readUInt32LE(headerBytes + length)) {
      damaged();
      return 'skipped';
    }
    isDamaged = false;
    skip(total);
    return { data, end: position };
  }

  return {
    push(bytes) {
      // A copy, because the caller may use its buffer again.
      held = Buffer.concat([held, bytes]);
      if (toSkip > 0) skip(toSkip);
      const frames: Frame[] = [];
      for (let frame = nextFrame(); frame !== 'incomplete'; frame = nextFrame()) {
        if (frame !== 'skipped') frames.push(frame);
      }
      return frames;
    },
    get pending() {
      return held.length;
    },
  };
}
