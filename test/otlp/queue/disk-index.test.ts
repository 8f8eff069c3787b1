import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addFound,
  addUnwritten,
  createDiskIndex,
  type DiskIndex,
  readableFiles,
  releaseFromMemory,
  removeOfRequest,
  removeOldest,
  removeOnlyOnDisk,
} from '../../../src/otlp/queue/disk-index.ts';

/** A change of the index of requests 1, 2, …, each of so many bytes as its number. */
type Change = (index: DiskIndex<number>, request: number) => void;

const fileOf = (request: number) => ({ name: String(request).padStart(3, '0'), bytes: request });

const changes: Readonly<Record<string, Change>> = {
  release: (index, request) => void releaseFromMemory(index, request),
  discard: (index, request) => void removeOfRequest(index, request),
  lease(index, request) {
    const file = index.onlyOnDisk[request % Math.max(1, index.onlyOnDisk.length)];
    if (file !== undefined) index.leased.add(file);
  },
  acknowledge(index) {
    for (const file of index.leased) removeOnlyOnDisk(index, file);
    index.leased.clear();
  },
  return: (index) => index.leased.clear(),
  'make room': (index) => void removeOldest(index),
};

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);

describe('the index of the disk queue', () => {
  const change = fc.record({
    name: fc.constantFrom('store', ...Object.keys(changes)),
    request: fc.nat(100),
  });

  it('counts the bytes of its files, and keeps those that are only on disk in the order of their age', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 100, size: 'max' }), (steps) => {
        const index = createDiskIndex<number>();
        addFound(index, [fileOf(1), fileOf(2)]);
        let stored = 2;
        for (const { name, request } of steps) {
          if (name === 'store') addUnwritten(index, ++stored, fileOf(stored));
          else changes[name]?.(index, 1 + (request % stored));
          const files = [...index.inMemory.values(), ...index.onlyOnDisk];
          expect(index.bytes).toBe(sum(files.map(({ bytes }) => bytes)));
          const names = index.onlyOnDisk.map((file) => file.name);
          expect(names).toEqual(names.toSorted());
          for (const file of index.leased) expect(index.onlyOnDisk).toContain(file);
        }
      }),
    );
  });

  it('gives only files to read that are written, not leased, and older than each that is not written', () => {
    const index = createDiskIndex<number>();
    const found = [1, 2, 3].map(fileOf);
    addFound(index, found);
    for (const request of [4, 5]) addUnwritten(index, request, fileOf(request));
    for (const request of [4, 5]) releaseFromMemory(index, request);
    const [first, second, third] = found;
    if (first !== undefined) index.leased.add(first);
    for (const file of index.unwritten) if (file.bytes === 5) index.unwritten.delete(file);
    expect(readableFiles(index)).toEqual([second, third]);
  });

  it('loses a request to make room only if it has left memory, the oldest first', () => {
    const index = createDiskIndex<number>();
    addFound(index, [fileOf(1)]);
    for (const request of [2, 3]) addUnwritten(index, request, fileOf(request));
    const removed = [removeOldest(index), removeOldest(index), removeOldest(index), removeOldest(index)];
    expect(removed.map((one) => one && [one.file.bytes, one.isLost])).toEqual([
      [1, true],
      [2, false],
      [3, false],
      undefined,
    ]);
    expect(index.bytes).toBe(0);
  });
});
