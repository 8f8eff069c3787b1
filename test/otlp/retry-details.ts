import { Metadata } from '@grpc/grpc-js';
import protobuf from 'protobufjs/light.js';

const message = (...fields: readonly (readonly [number: number, value: Uint8Array | string | number])[]) => {
  const writer = new protobuf.Writer();
  for (const [number, value] of fields) {
    if (typeof value === 'number') writer.uint32(number * 8).int64(value);
    else writer.uint32(number * 8 + 2).bytes(Buffer.from(value as Uint8Array));
  }
  return writer.finish();
};

/** A `google.rpc.Status` with details of this type, as a server puts it into its trailers. */
export function statusDetails(type: string, detail: Uint8Array): Uint8Array {
  const other = message([1, 'type.googleapis.com/google.rpc.DebugInfo'], [2, message([2, 'busy'])]);
  const any = message([1, `type.googleapis.com/${type}`], [2, detail]);
  return message([1, 8], [2, 'busy'], [3, other], [3, any]);
}

/** Trailers that ask to be left alone for so long. */
export function retryAfter(seconds: number, nanos = 0): Metadata {
  const duration = message(
    ...(seconds === 0 ? [] : [[1, seconds] as const]),
    ...(nanos === 0 ? [] : [[2, nanos] as const]),
  );
  return trailers(statusDetails('google.rpc.RetryInfo', message([1, duration])));
}

export function trailers(details: Uint8Array): Metadata {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(details));
  return metadata;
}
