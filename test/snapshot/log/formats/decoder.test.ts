import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logFormats } from '../../../../src/catalogue/file-formats.ts';
import { createDecoder } from '../../../../src/snapshot/log/formats/create-decoder.ts';
import { type LogRecord, maxRecordBytes } from '../../../../src/snapshot/log/formats/decoder.ts';
import { decodeParts, logFixture, mutations, splits } from './support.ts';

const logs = [
  ['jsonl', 'llama-factory.jsonl'],
  ['jsonl', 'swift.jsonl'],
  ['csv', 'ultralytics.csv'],
  ['csv', 'keras.csv'],
  ['csv', 'lightning_logs/version_0/metrics.csv'],
  ['tensorboard', 'events.out.tfevents.tensorboardx'],
  ['tensorboard', 'events.out.tfevents.encodings'],
] as const;

describe.each(logs)('%s: %s', (format, name) => {
  const bytes = logFixture(name);

  it('decodes without problems, to its end', async () => {
    const { records, pending, problems } = await decodeParts(format, [bytes]);
    expect(problems).toEqual([]);
    expect(pending).toBe(0);
    // The last event of tensorboardX' file is a histogram.
    const length = name.endsWith('tensorboardx') ? 2_180 : bytes.length;
    expect(records.at(-1)?.end).toBe(length);
  });

  it('gives the same records however it is split, also after it was damaged', async () => {
    await fc.assert(
      fc.asyncProperty(splits(mutations(bytes)), async (parts) => {
        const whole = await decodeParts(format, [Buffer.concat(parts)]);
        const split = await decodeParts(format, parts);
        expect(split.records).toEqual(whole.records);
        expect(split.problems).toEqual(whole.problems);
        expect(split.pending).toBe(whole.pending);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps nothing of a buffer that is used again', async () => {
    const decoder = await createDecoder(format);
    const buffer = Buffer.alloc(7);
    const records: LogRecord[] = [];
    for (let start = 0; start < bytes.length; start += buffer.length) {
      const length = bytes.copy(buffer, 0, start);
      records.push(...decoder.push(buffer.subarray(0, length)));
    }
    expect([...records, ...decoder.finish()]).toEqual((await decodeParts(format, [bytes])).records);
  });

  it('continues at the end of any record', async () => {
    const { records, decoder } = await decodeParts(format, [bytes]);
    for (const [index, { end }] of records.entries()) {
      const options = { offset: end, ...(decoder.columns && { columns: decoder.columns }) };
      const rest = await decodeParts(format, [bytes.subarray(end)], options);
      expect(rest.records).toEqual(records.slice(index + 1));
    }
  });

  it('waits for the rest of a record that is cut off', async () => {
    const { records } = await decodeParts(format, [bytes]);
    const cut = await decodeParts(format, [bytes.subarray(0, -1)]);
    expect(cut.problems).toEqual([]);
    expect(cut.pending).toBeGreaterThan(0);
    if (format !== 'tensorboard') expect(cut.records).toEqual(records.slice(0, -1));
  });
});

describe.each(logFormats)('%s', (format) => {
  it('never throws and never gives more than was pushed', async () => {
    await fc.assert(
      fc.asyncProperty(splits(fc.uint8Array({ maxLength: 400 })), async (parts) => {
        const length = parts.reduce((sum, part) => sum + part.length, 0);
        const { records, pending } = await decodeParts(format, parts);
        expect(records.every(({ end }) => end <= length)).toBe(true);
        expect(pending).toBeLessThanOrEqual(length);
      }),
      { numRuns: 300 },
    );
  });

  it('holds no more than one record of a file without any', async () => {
    const zeros = new Uint8Array(maxRecordBytes);
    const decoder = await createDecoder(format);
    const before = process.memoryUsage().arrayBuffers;
    for (let part = 0; part < 32; part++) expect(decoder.push(zeros)).toEqual([]);
    if (format === 'tensorboard') {
      expect(decoder.pending).toBeLessThan(12);
      return;
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * maxRecordBytes);
    decoder.push(Buffer.from('\n'));
    expect(decoder.takeProblems()).toEqual([
      { kind: 'too_long', count: 1, message: `a line is longer than ${maxRecordBytes} bytes` },
    ]);
  });
});
