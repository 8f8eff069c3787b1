import { crc32c } from '../../src/snapshot/log/formats/crc32c.ts';

/** The first event of a file, by which its writer names the version of the format. */
export const firstEvent = (timeMs: number): Buffer =>
  recordOf(Buffer.concat([double(0x09, timeMs / 1_000), bytes(0x1a, Buffer.from('brain.Event:2'))]));

/** An event of TensorBoard with scalars of one step, as a record of an event file. The values become float32. */
export function scalarEvent(step: number, timeMs: number, scalars: Readonly<Record<string, number>>): Buffer {
  const values = Object.entries(scalars).map(([tag, value]) =>
    bytes(0x0a, Buffer.concat([bytes(0x0a, Buffer.from(tag)), float(0x15, value)])),
  );
  const fields = [double(0x09, timeMs / 1_000), Buffer.from([0x10, ...varint(step)])];
  return recordOf(Buffer.concat([...fields, bytes(0x2a, Buffer.concat(values))]));
}

/** The start of a session, as torch writes it for `purge_step`: events of earlier files from this step on are void. */
export const sessionStart = (step: number, timeMs: number): Buffer =>
  recordOf(
    Buffer.concat([
      double(0x09, timeMs / 1_000),
      Buffer.from([0x10, ...varint(step)]),
      bytes(0x3a, Buffer.from([0x08, 0x01])),
    ]),
  );

/** A field of Protocol Buffers: its key and its value. */
function double(key: number, value: number): Buffer {
  const field = Buffer.alloc(9, key);
  field.writeDoubleLE(value, 1);
  return field;
}

function float(key: number, value: number): Buffer {
  const field = Buffer.alloc(5, key);
  field.writeFloatLE(value, 1);
  return field;
}

const bytes = (key: number, value: Buffer) => Buffer.from([key, ...varint(value.length), ...value]);

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...varint(Math.floor(value / 0x80))];
}

function recordOf(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeUInt32LE(data.length);
  return Buffer.concat([length, maskedCrc(length), data, maskedCrc(data)]);
}

function maskedCrc(data: Buffer): Buffer {
  const crc = crc32c(data);
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return masked;
}
