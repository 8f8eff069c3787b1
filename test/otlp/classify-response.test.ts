import { Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyResponse, type FailedResponse } from '../../src/otlp/classify-response.ts';
import { retryAfter, statusDetails, trailers } from './retry-details.ts';

/** Fields with and without a length, lengths and long numbers: most sequences of these are nearly a message. */
const likelyBytes = fc.array(fc.constantFrom(0x00, 0x01, 0x02, 0x08, 0x0a, 0x10, 0x12, 0x80, 0xff), {
  maxLength: 30,
});

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

  it('with any delay waits for a number of milliseconds, or does not say how long', () => {
    const delays = fc.oneof(
      likelyBytes,
      likelyBytes.map((duration) => [0x0a, duration.length, ...duration]),
    );
    fc.assert(
      fc.property(delays, (delay) => {
        const metadata = trailers(statusDetails('google.rpc.RetryInfo', Uint8Array.from(delay)));
        const outcome = classifyResponse(failure(status.UNAVAILABLE, metadata));
        const { afterMs = 0 } = outcome.status === 'retry' ? outcome : {};
        expect(afterMs).toBeGreaterThanOrEqual(0);
        expect(afterMs).toBeLessThan(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of the stream is no answer, whatever its code', () => {
    const cut = failure(status.INTERNAL, undefined, 'Received RST_STREAM with code 1 (Protocol error)');
    expect(classifyResponse(cut).status).toBe('retry');
  });

  it.each([
    'Write error: write after end',
    'Write failed with error The stream has been destroyed',
    'Failed to start HTTP/2 stream',
  ])('of the client to write is no answer: %s', (details) => {
    const cut = classifyResponse(failure(status.INTERNAL, undefined, details));
    expect(cut).toMatchObject({ status: 'retry', cause: 'no_answer' });
  });
});
