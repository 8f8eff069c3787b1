import { DiagLogLevel, diag, isSpanContextValid, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { extractTraceHeaders, injectTraceHeaders } from '../../src/tracing/w3c.ts';
import {
  anything,
  contextWith,
  hostileTraceparent,
  spanId,
  traceId,
  traceparent,
} from './support/trace-headers.ts';

const extract = (parent: unknown, state?: unknown) =>
  trace.getSpanContext(extractTraceHeaders(ROOT_CONTEXT, parent, state));

/** Of W3C Trace Context Level 2, section 3.2 (version, trace-id, parent-id, trace-flags) and 4.3 (a higher version). */
describe('traceparent', () => {
  it.each([
    ['sampled', traceparent, 1],
    ['not sampled', `00-${traceId}-${spanId}-00`, 0],
    ['sampled and random', `00-${traceId}-${spanId}-03`, 3],
    ['flags without a meaning yet, which are not passed on', `00-${traceId}-${spanId}-ff`, 3],
    ['a higher version of the same length', `01-${traceId}-${spanId}-01`, 1],
    ['the highest version', `fe-${traceId}-${spanId}-01`, 1],
    ['a higher version with more after a dash', `cc-${traceId}-${spanId}-01-what-the-future-will-be-like`, 1],
    ['space around, as an HTTP parser takes it away', ` \t${traceparent}\t `, 1],
    ['the end of a line, as of a file', `${traceparent}\r\n`, 1],
  ])('takes %s', (_what, header, flags) => {
    expect(extract(header)).toMatchObject({ traceId, spanId, traceFlags: flags, isRemote: true });
  });

  const zeros = (count: number) => '0'.repeat(count);
  it.each([
    ['nothing', ''],
    ['version ff', `ff-${traceId}-${spanId}-01`],
    ['a version in upper case', `CC-${traceId}-${spanId}-01`],
    ['a version of one digit', `0-${traceId}-${spanId}-01`],
    ['a version of three digits', `000-${traceId}-${spanId}-01`],
    ['a version that is not hex', `.0-${traceId}-${spanId}-01`],
    ['version 00 with more after it', `${traceparent}-extra`],
    ['version 00 with a dash after it', `${traceparent}-`],
    ['a higher version with more after something other than a dash', `cc-${traceId}-${spanId}-01.what`],
    ['a trace id of zeros', `00-${zeros(32)}-${spanId}-01`],
    ['a trace id in upper case', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['a trace id that is not hex', `00-.${traceId.slice(1)}-${spanId}-01`],
    ['a trace id that is too short', `00-${traceId.slice(1)}-${spanId}-01`],
    ['a trace id that is too long', `00-${traceId}0-${spanId}-01`],
    ['a parent id of zeros', `00-${traceId}-${zeros(16)}-01`],
    ['a parent id in upper case', `00-${traceId}-${spanId.toUpperCase()}-01`],
    ['a parent id that is not hex', `00-${traceId}-${spanId.slice(1)}.-01`],
    ['a parent id that is too short', `00-${traceId}-${spanId.slice(1)}-01`],
    ['a parent id that is too long', `00-${traceId}-${spanId}0-01`],
    ['flags that are not hex', `00-${traceId}-${spanId}-.0`],
    ['flags of one digit', `00-${traceId}-${spanId}-1`],
    ['flags of three digits', `00-${traceId}-${spanId}-001`],
    ['no flags', `00-${traceId}-${spanId}`],
    ['other separators', traceparent.replaceAll('-', '_')],
    ['two of them', `${traceparent},${traceparent}`],
    ['text before it', `x${traceparent}`],
    ['a line before it', `x\n${traceparent}`],
    ['a character beyond ASCII', traceparent.replace('4', '４')],
  ])('refuses %s', (_what, header) => {
    expect(extractTraceHeaders(ROOT_CONTEXT, header, 'a=1')).toBe(ROOT_CONTEXT);
  });

  it('never throws and never makes an invalid id', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(anything, anything, (parent, state) => {
        const context = extractTraceHeaders(ROOT_CONTEXT, parent, state);
        const spanContext = trace.getSpanContext(context);
        if (spanContext === undefined) return context === ROOT_CONTEXT;
        const { traceparent: again } = injectTraceHeaders(context) ?? {};
        return (
          isSpanContextValid(spanContext) &&
          /^[0-9a-f]{32}$/.test(spanContext.traceId) &&
          /^[0-9a-f]{16}$/.test(spanContext.spanId) &&
          /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$/.test(String(again))
        );
      }),
      { numRuns: 5000 },
    );
  });

  it('leaves the parent that is there where the header is invalid', () => {
    const before = contextWith({ spanId: '1'.repeat(16) });
    fc.assert(
      fc.property(hostileTraceparent, (header) => {
        const after = extractTraceHeaders(before, header, undefined);
        return after === before || trace.getSpanContext(after)?.isRemote === true;
      }),
    );
  });
});

/** Of section 3.3 (list, key, value) and 3.5 (what may be changed). */
describe('tracestate', () => {
  const passedOn = (state: string) =>
    injectTraceHeaders(extractTraceHeaders(ROOT_CONTEXT, traceparent, state))?.tracestate;
  const members = (count: number) => Array.from({ length: count }, (_, n) => `k${n}=${n}`).join(',');

  it.each([
    ['one member', 'foo=1', 'foo=1'],
    ['two, in their order', 'foo=1,bar=2', 'foo=1,bar=2'],
    ['space around members', 'foo=1 \t , \t bar=2, \t baz=3', 'foo=1,bar=2,baz=3'],
    ['empty members', 'foo=1,,bar=2,', 'foo=1,bar=2'],
    ['a tenant in the key', 'fw529a3039@dt=FfAAAAAAAAAAAAAA', 'fw529a3039@dt=FfAAAAAAAAAAAAAA'],
    ['every character of a key', 'a_-*/0=1', 'a_-*/0=1'],
    [
      'every kind of character of a value',
      'foo=!#$%&()*+-./:;<>?@[]^_`{|}~',
      'foo=!#$%&()*+-./:;<>?@[]^_`{|}~',
    ],
    ['a space inside a value', 'foo=a b', 'foo=a b'],
    ['a key of 256 characters', `${'z'.repeat(256)}=1`, `${'z'.repeat(256)}=1`],
    [
      'a tenant of 241 and a system of 14',
      `${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
      `${'t'.repeat(241)}@${'v'.repeat(14)}=1`,
    ],
    [
      '512 characters',
      `foo=${'x'.repeat(250)},bar=${'y'.repeat(253)}`,
      `foo=${'x'.repeat(250)},bar=${'y'.repeat(253)}`,
    ],
    ['32 members', members(32), members(32)],
    ['32 members and empty ones', `${members(32)},,`, members(32)],
  ])('passes on %s', (_what, state, expected) => {
    expect(passedOn(state)).toBe(expected);
  });

  it.each([
    ['an empty one', ''],
    ['33 members', members(33)],
    ['a key in upper case', 'FOO=1'],
    ['a key with a space', 'foo =1'],
    ['a key with a dot', 'foo.bar=1'],
    ['a key of 257 characters', `${'z'.repeat(257)}=1`],
    ['a tenant of 242 characters', `${'t'.repeat(242)}@v=1`],
    ['a system of 15 characters', `t@${'v'.repeat(15)}=1`],
    ['an empty tenant', '@foo=1'],
    ['an empty system', 'foo@=1'],
    ['two @ in a row', 'foo@@bar=1'],
    ['two @', 'foo@bar@baz=1'],
    ['an equals sign in the value', 'foo=bar=baz'],
    ['an empty value', 'foo='],
    ['no equals sign', 'foo'],
    ['an empty key', '=1'],
  ])('does not pass on %s, and does not let go of the trace', (_what, state) => {
    expect(extract(traceparent, state)).toMatchObject({ traceId, spanId });
    expect(passedOn(state)).toBeUndefined();
  });

  it.each([
    ['one of three members is invalid', 'foo=1,BAR=2,baz=3', 'has an invalid member'],
    ['33 members', members(33), 'has more than 32 members'],
    ['513 characters', `foo=${'x'.repeat(250)},bar=${'y'.repeat(254)}`, 'is longer than 512 characters'],
    ['no text', 7, 'is not text'],
  ])('is ignored as a whole, with a warning, where %s', (_what, state, problem) => {
    const warn = vi.fn();
    diag.setLogger({ warn, error: warn, info: warn, debug: warn, verbose: warn }, DiagLogLevel.WARN);
    onTestFinished(() => diag.disable());
    expect(extract(traceparent, state)).toMatchObject({ traceId, spanId });
    expect(extract(traceparent, state)?.traceState).toBeUndefined();
    expect(warn.mock.calls[0]).toEqual([
      `ml-metrics-bridge: tracestate ${problem}; it is ignored, and traceparent is used without it`,
    ]);
    warn.mockClear();
    expect(extract('00-nonsense', state)).toBeUndefined();
    expect(extract(traceparent, ' , ')).toBeDefined();
    expect(warn).not.toHaveBeenCalled();
  });

  it('keeps one of two members with the same key', () => {
    expect(['foo=1', 'foo=2']).toContain(passedOn('foo=1,foo=2'));
  });

  it('is nothing without a traceparent', () => {
    expect(extractTraceHeaders(ROOT_CONTEXT, undefined, 'foo=1')).toBe(ROOT_CONTEXT);
  });
});

describe('what is written', () => {
  it.each([
    ['no span', ROOT_CONTEXT],
    ['a trace id of zeros', contextWith({ traceId: '0'.repeat(32) })],
    ['a span id that is too short', contextWith({ spanId: 'abc' })],
    [
      'ids in upper case, which the API takes and W3C does not',
      contextWith({ traceId: traceId.toUpperCase() }),
    ],
    ['tracing suppressed', suppressTracing(contextWith())],
  ])('is nothing for %s', (_what, from) => {
    expect(injectTraceHeaders(from)).toBeUndefined();
  });

  it.each([
    [0, '00'],
    [1, '01'],
    [2, '02'],
    [0xff, '03'],
    [0x10, '00'],
  ])('has two digits of flags, with a meaning, for %i', (traceFlags, digits) => {
    expect(injectTraceHeaders(contextWith({ traceFlags }))?.traceparent).toBe(
      `00-${traceId}-${spanId}-${digits}`,
    );
  });
});
