import { Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyResponse, type FailedResponse } from '../../src/otlp/classify-response.ts';
import { retryAfter, statusDetails, trailers } from './retry-details.ts';

const failure = (code: number, metadata = new Metadata(), details = 'no'): FailedResponse =>
  Object.assign(new Error(`${code} ${details}`), { code, details, metadata });

describe('a failure', () => {
  // Source: OTLP specification, the table under "Failures".
  it.each([
    ['CANCELLED', 'retry'],
    ['UNKNOWN', 'rejected'],
    ['INVALID_ARGUMENT', 'rejected'],
    ['DEADLINE_EXCEEDED', 'retry'],
    ['NOT_FOUND', 'rejected'],
    ['ALREADY_EXISTS', 'rejected'],
    ['PERMISSION_DENIED', 'rejected'],
    ['UNAUTHENTICATED', 'rejected'],
    ['RESOURCE_EXHAUSTED', 'rejected'],
    ['FAILED_PRECONDITION', 'rejected'],
    ['ABORTED', 'retry'],
    ['OUT_OF_RANGE', 'retry'],
    ['UNIMPLEMENTED', 'rejected'],
    ['INTERNAL', 'rejected'],
    ['UNAVAILABLE', 'retry'],
    ['DATA_LOSS', 'retry'],
  ] as const)('%s means %s', (code, expected) => {
    expect(classifyResponse(failure(status[code])).status).toBe(expected);
  });

  it.each([
    [retryAfter(30), 30_000],
    [retryAfter(0, 250_000_000), 250],
    [retryAfter(1, 500_000_000), 1_500],
    [retryAfter(0), 0],
  ])('is tried again after the time it names', (metadata, afterMs) => {
    for (const code of [status.RESOURCE_EXHAUSTED, status.UNAVAILABLE])
      expect(classifyResponse(failure(code, metadata))).toMatchObject({ status: 'retry', afterMs });
  });

  it('with other details says nothing of when', () => {
    const other = trailers(statusDetails('google.rpc.QuotaFailure', new Uint8Array([8, 1])));
    expect(classifyResponse(failure(status.RESOURCE_EXHAUSTED, other)).status).toBe('rejected');
  });

  it('with any bytes for details is classified all the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (details) => {
        expect(classifyResponse(failure(status.UNAVAILABLE, trailers(details))).status).toBe('retry');
      }),
    );
  });

  it('of the stream is no answer, whatever its code', () => {
    const cut = failure(status.INTERNAL, undefined, 'Received RST_STREAM with code 1 (Protocol error)');
    expect(classifyResponse(cut).status).toBe('retry');
  });
});
