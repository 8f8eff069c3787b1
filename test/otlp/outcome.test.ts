import { Metadata, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeResponse } from '../../src/commands/demo/receiver/codec.ts';
import type { Answer } from '../../src/otlp/client.ts';
import { judge, refusalIn } from '../../src/otlp/outcome.ts';
import { retryAfter, statusDetails, trailers } from './retry-details.ts';

const failure = (code: number, metadata = new Metadata(), details = 'no'): Answer => ({
  status: 'failed',
  error: Object.assign(new Error(`${code} ${details}`), { code, details, metadata }),
});

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
    expect(judge(failure(status[code])).status).toBe(expected);
  });

  it.each([
    [retryAfter(30), 30_000],
    [retryAfter(0, 250_000_000), 250],
    [retryAfter(1, 500_000_000), 1_500],
    [retryAfter(0), 0],
  ])('is tried again after the time it names', (metadata, afterMs) => {
    for (const code of [status.RESOURCE_EXHAUSTED, status.UNAVAILABLE])
      expect(judge(failure(code, metadata))).toMatchObject({ status: 'retry', afterMs });
  });

  it('with other details says nothing of when', () => {
    const other = trailers(statusDetails('google.rpc.QuotaFailure', new Uint8Array([8, 1])));
    expect(judge(failure(status.RESOURCE_EXHAUSTED, other)).status).toBe('rejected');
  });

  it('with any bytes for details is judged all the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (details) => {
        expect(judge(failure(status.UNAVAILABLE, trailers(details))).status).toBe('retry');
      }),
    );
  });

  it('of the stream is no answer, whatever its code', () => {
    const cut = failure(status.INTERNAL, undefined, 'Received RST_STREAM with code 1 (Protocol error)');
    expect(judge(cut).status).toBe('retry');
  });
});

describe('a success', () => {
  it('is whole where the response is empty', () => {
    expect(refusalIn(encodeResponse())).toBe(undefined);
    expect(judge({ status: 'ok' })).toEqual({ status: 'success' });
  });

  it.each([
    { rejectedDataPoints: 3, errorMessage: 'too old' },
    { rejectedDataPoints: 0, errorMessage: 'this will be refused soon' },
  ])('is partial where it says so', (partialSuccess) => {
    const refused = { points: partialSuccess.rejectedDataPoints, reason: partialSuccess.errorMessage };
    expect(refusalIn(encodeResponse(partialSuccess))).toEqual(refused);
    expect(judge({ status: 'ok', refused })).toEqual({ status: 'success', refused });
  });

  it('stays one where the response cannot be read', () => {
    expect(refusalIn(Buffer.from([0x0a, 0xff]))).toBe(undefined);
  });
});
