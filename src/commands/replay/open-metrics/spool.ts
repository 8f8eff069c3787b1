import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PointNumbers } from './samples.ts';
import { headerOf, numberText, type SeriesText, timeText } from './text.ts';

/** Sorts points by family and series, which the records have mixed. */
export interface Spool {
  add(point: PointNumbers): void;
  /** Writes to the disk what is in memory, if that is much. Call it now and then. */
  relieve(): Promise<void>;
  /** The whole text, family by family. */
  text(): AsyncGenerator<string>;
  close(): Promise<void>;
}

interface StoredSeries {
  readonly text: SeriesText;
  /** Of each point, its time and its values. */
  held: number[];
  readonly chunks: Chunk[];
}

/** A part of the file, in bytes. */
interface Chunk {
  readonly position: number;
  readonly length: number;
}

const bytesOfNumber = Float64Array.BYTES_PER_ELEMENT;
const maxHeldNumbers = 2 ** 18;
const pointsOfPiece = 512;

/**
 * Keeps the numbers of all points in a temporary file, so that memory does not grow with the number of records. The file
 * has no name once it is open, so that nothing is left behind by a process that is killed.
 *
 * @param maxHeld how many numbers are kept in memory
 */
export async function createSpool(maxHeld: number = maxHeldNumbers): Promise<Spool> {
  const file = await openNameless();
  const families = new Map<string, StoredSeries[]>();
  const series = new Map<string, StoredSeries>();
  let held = 0;
  let end = 0;

  function createSeries({ key, describeSeries }: PointNumbers): StoredSeries {
    const created: StoredSeries = { text: describeSeries(), held: [], chunks: [] };
    const { name } = created.text.family;
    const family = families.get(name);
    if (family === undefined) families.set(name, [created]);
    else family.push(created);
    series.set(key, created);
    return created;
  }

  return {
    add(point) {
      const stored = series.get(point.key) ?? createSeries(point);
      stored.held.push(point.timeMs, ...point.values);
      held += 1 + point.values.length;
    },
    async relieve() {
      if (held < maxHeld) return;
      held = 0;
      for (const stored of series.values()) {
        if (stored.held.length === 0) continue;
        const numbers = Float64Array.from(stored.held);
        stored.held = [];
        await writeNumbers(file, numbers, end);
        stored.chunks.push({ position: end, length: numbers.byteLength });
        end += numbers.byteLength;
      }
    },
    async *text() {
      for (const stored of families.values()) {
        yield headerOf((stored[0] as StoredSeries).text.family);
        for (const { text, held: last, chunks } of stored) {
          for (const chunk of chunks) yield* textOf(text, await readNumbers(file, chunk));
          yield* textOf(text, last);
        }
      }
      yield '# EOF\n';
    },
    close: () => file.close(),
  };
}

async function openNameless(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'ml-metrics-bridge-replay-'));
  try {
    return await open(join(folder, 'points'), 'wx+');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeNumbers(file: FileHandle, numbers: Float64Array, position: number): Promise<void> {
  const { bytesWritten } = await file.writev([numbers], position);
  if (bytesWritten !== numbers.byteLength)
    throw new Error(`the temporary file takes no more than ${position + bytesWritten} bytes`);
}

async function readNumbers(file: FileHandle, { position, length }: Chunk): Promise<Float64Array> {
  const numbers = new Float64Array(length / bytesOfNumber);
  const { bytesRead } = await file.readv([numbers], position);
  if (bytesRead !== length) throw new Error(`the temporary file ended after ${position + bytesRead} bytes`);
  return numbers;
}

/** In pieces, because all text of a chunk may be a hundred times as long as its numbers. */
function* textOf({ lines }: SeriesText, numbers: ArrayLike<number>): Generator<string> {
  const width = 1 + lines.length;
  let piece = '';
  for (let at = 0; at < numbers.length; at += width) {
    const time = timeText(numbers[at] as number);
    for (const [index, line] of lines.entries())
      piece += `${line} ${numberText(numbers[at + 1 + index] as number)} ${time}\n`;
    if ((at / width) % pointsOfPiece !== pointsOfPiece - 1) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}
