import protobuf from 'protobufjs/light.js';
import { description } from './description.ts';
import { type Point, pointsOf } from './point.ts';
import type { WireRequest } from './wire.ts';

const root = protobuf.Root.fromJSON(description);
const requestType = root.lookupType('ExportMetricsServiceRequest');
const responseType = root.lookupType('ExportMetricsServiceResponse');

/** OTLP partial success: points that were rejected from an accepted request. */
export interface WirePartialSuccess {
  readonly rejectedDataPoints: number;
  readonly errorMessage: string;
}

/**
 * The points of a serialized ExportMetricsServiceRequest. 64-bit integers beyond 2^53 are rounded to the nearest
 * number. Throws on bytes that are not protobuf.
 */
export function decodeRequest(bytes: Uint8Array): readonly Point[] {
  const plain = requestType.toObject(requestType.decode(bytes), {
    longs: Number,
    bytes: String,
    arrays: true,
    defaults: true,
  });
  return pointsOf(plain as WireRequest);
}

/** A serialized ExportMetricsServiceResponse; an empty one says that every point was accepted. */
export function encodeResponse(partialSuccess?: WirePartialSuccess): Buffer {
  const response = responseType.fromObject(partialSuccess === undefined ? {} : { partialSuccess });
  return Buffer.from(responseType.encode(response).finish());
}
