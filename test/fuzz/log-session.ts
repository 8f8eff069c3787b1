import { readFileSync } from 'node:fs';
import { formatOfPreset, type PresetName } from '../../src/catalogue/file-formats.ts';
import { mulberry32 } from '../../src/commands/simulate/random.ts';
import type { Random } from '../../src/common/jitter.ts';
import { createDecoder } from '../../src/snapshot/log/formats/create-decoder.ts';
import type { LogRecord } from '../../src/snapshot/log/formats/decoder.ts';
import { createRecordMapper, snapshotOf } from '../../src/snapshot/log/formats/map-record.ts';
import { frameworkLogs } from '../snapshot/log/formats/support.ts';
import { mutateBytes } from './mutate.ts';

const originals = frameworkLogs.map(([name, preset]) => ({
  preset: preset as PresetName,
  bytes: readFileSync(new URL(`../fixtures/logs/${name}`, import.meta.url)),
}));

/**
 * Reads the mutated log of one framework, in appends of any size, and holds every number of its snapshots against the bytes.
 * The same seed and index give the same log on every machine. Throws at the first number that is not in them; gives the
 * number of records.
 */
export async function runLogSession(seed: number, index: number): Promise<number> {
  const random = mulberry32(Math.imul(seed, 0x85ebca6b) ^ Math.imul(index + 1, 0x9e3779b1));
  const { preset, bytes: original } = originals[index % originals.length] as (typeof originals)[number];
  let bytes: Buffer = original;
  for (let count = Math.floor(random() * 5); count > 0; count--) bytes = mutateBytes(random, bytes);
  const records = await decodeInParts(preset, bytes, random);
  const isInFile = preset === 'tensorboard' ? binaryNumbers(bytes) : textNumbers(bytes);
  const map = createRecordMapper(preset);
  for (const record of records) {
    if (record.end > bytes.length) throw new Error(`a record ends at ${record.end} of ${bytes.length} bytes`);
    const mapped = map(record);
    const parsed = mapped.status === 'ok' ? snapshotOf(mapped) : undefined;
    if (parsed?.status !== 'ok') continue;
    const { values, extras } = parsed.snapshot;
    for (const [name, value] of [...Object.entries(values), ...extras])
      if (!originsOf(value).some((it) => isInFile(it)))
        throw new Error(`${name} is ${value}, which is not in the log of ${preset}`);
  }
  return records.length;
}

async function decodeInParts(
  preset: PresetName,
  bytes: Buffer,
  random: Random,
): Promise<readonly LogRecord[]> {
  const decoder = await createDecoder(formatOfPreset(preset));
  const records: LogRecord[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = start + 1 + Math.floor(random() * bytes.length);
    records.push(...decoder.push(bytes.subarray(start, end)));
    start = end;
  }
  return [...records, ...decoder.finish()];
}

/** What may be written for a value: counts from 0, fractions of an epoch (any in the last one), and seconds. */
const originsOf = (value: number) => [value, value - 1, value / 1_000, `≤${value}`, `≤${value - 1}`] as const;

type Origin = ReturnType<typeof originsOf>[number];

function textNumbers(bytes: Buffer): (origin: Origin) => boolean {
  const written = bytes.toString('latin1').match(/[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?/gi) ?? [];
  return among(written.map(Number));
}

/** Every number that could stand at any place: a float, a double or a varint. */
function binaryNumbers(bytes: Buffer): (origin: Origin) => boolean {
  const numbers: number[] = [0];
  for (let at = 0; at < bytes.length; at++) {
    if (at + 4 <= bytes.length) numbers.push(bytes.readFloatLE(at));
    if (at + 8 <= bytes.length) numbers.push(bytes.readDoubleLE(at));
    let [varint, end] = [0n, at];
    for (let shift = 0n; end < Math.min(at + 10, bytes.length); shift += 7n) {
      const byte = bytes[end++] as number;
      varint |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    numbers.push(Number(BigInt.asIntN(64, varint)));
  }
  return among(numbers);
}

function among(numbers: readonly number[]): (origin: Origin) => boolean {
  const exact = new Set<Origin>(numbers);
  for (const number of numbers) {
    exact.add(`≤${Math.ceil(number)}`);
    // Seconds that become milliseconds, and counts from 0 that become counts from 1, are not always exact: 0.01 + 1 - 1
    // is not 0.01.
    exact.add((number * 1_000) / 1_000);
    exact.add(number + 1 - 1);
  }
  return (origin) => exact.has(origin);
}
