import type { Metadata } from '@grpc/grpc-js';

/** The retry delay that a server asks for, in milliseconds; undefined if it asks for none. */
export function retryDelayOf(metadata: Metadata | undefined): number | undefined {
  for (const trailer of metadata?.get('grpc-status-details-bin') ?? []) {
    const delayMs = delayIn(Buffer.from(trailer));
    if (delayMs !== undefined) return delayMs;
  }
  return undefined;
}

type Field = readonly [number: number, value: number | Buffer];

/**
 * Finds `google.rpc.RetryInfo { Duration retry_delay = 1; }` in a `google.rpc.Status { repeated Any details = 3; }`,
 * with `Any { string type_url = 1; bytes value = 2; }` and `Duration { int64 seconds = 1; int32 nanos = 2; }`.
 * Decoded by hand, because only these two numbers are needed.
 */
function delayIn(status: Buffer): number | undefined {
  try {
    for (const [number, detail] of fieldsOf(status)) {
      if (number !== 3 || !Buffer.isBuffer(detail)) continue;
      const any = new Map(fieldsOf(detail));
      const value = any.get(2) ?? Buffer.alloc(0);
      if (!String(any.get(1)).endsWith('/google.rpc.RetryInfo') || !Buffer.isBuffer(value)) continue;
      const duration = new Map(fieldsOf(value)).get(1);
      if (!Buffer.isBuffer(duration)) return 0;
      const [seconds, nanos] = [1, 2].map((field) => new Map(fieldsOf(duration)).get(field) ?? 0);
      const delayMs = Number(seconds) * 1000 + Number(nanos) / 1_000_000;
      return Number.isFinite(delayMs) ? delayMs : undefined;
    }
  } catch {
    // A message that cannot be decoded has no delay.
  }
  return undefined;
}

/** The fields of a message, varints as numbers. Throws a RangeError if the message ends too early. */
function* fieldsOf(message: Buffer): Generator<Field> {
  let position = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message.readUInt8(position++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (position < message.length) {
    const tag = varint();
    const [number, wireType] = [Math.floor(tag / 8), tag % 8];
    if (wireType === 0) yield [number, varint()];
    else if (wireType === 2) {
      const length = varint();
      if (position + length > message.length) throw new RangeError('the message ends too early');
      yield [number, message.subarray(position, position + length)];
      position += length;
    } else throw new RangeError('no message of google.rpc has this');
  }
}
