import { type DecoderOptions, maxRecordBytes } from './decoder.ts';
import type { ProblemLog } from './problems.ts';

export interface LogLine {
  /** Without the line break. */
  readonly bytes: Uint8Array;
  /** Offset of the byte after the line break, from the start of the file. */
  readonly end: number;
}

export interface LineSplitter {
  push(bytes: Uint8Array): readonly LogLine[];
  /** Bytes after the last line break. */
  readonly pending: number;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Splits text into lines that end with LF or CRLF. Keeps at most `maxRecordBytes` of a line that is not complete. A line
 * is a record also in CSV: no framework writes line breaks into a cell, and after a row that was cut off inside quotes
 * the rest of the file would be one cell.
 */
export function createLineSplitter({ offset = 0 }: DecoderOptions, problems: ProblemLog): LineSplitter {
  let position = offset;
  let held: Uint8Array[] = [];
  let heldLength = 0;
  let pending = 0;

  function hold(part: Uint8Array): void {
    pending += part.length;
    heldLength += part.length;
    // Copied, because the caller may use its buffer again.
    if (heldLength <= maxRecordBytes) held.push(Uint8Array.from(part));
    else held = [];
  }

  function takeLine(last: Uint8Array): Uint8Array | undefined {
    const line = held.length === 0 ? last : Buffer.concat([...held, last]);
    const isTooLong = heldLength > maxRecordBytes || line.length > maxRecordBytes;
    held = [];
    heldLength = 0;
    pending = 0;
    if (!isTooLong) return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
    problems.add('too_long', `a line is longer than ${maxRecordBytes} bytes`);
    return undefined;
  }

  return {
    push(bytes) {
      const lines: LogLine[] = [];
      let start = 0;
      for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
        const line = takeLine(bytes.subarray(start, end));
        start = end + 1;
        if (line !== undefined) lines.push({ bytes: line, end: position + start });
      }
      hold(bytes.subarray(start));
      position += bytes.length;
      return lines;
    },
    get pending() {
      return pending;
    },
  };
}

/** Text of a line; undefined if it is not UTF-8. A byte order mark is removed. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
