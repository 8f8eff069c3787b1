import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  extractFromAnnotations,
  injectToAnnotations,
  traceparentAnnotation,
  tracestateAnnotation,
  withSpan,
} from '../../src/tracing/index.ts';
import { startSdk } from './support/sdk.ts';
import { anyContext, anything, contextWith, spanId, traceId, traceparent } from './support/trace-headers.ts';

const here = contextWith({ state: 'vendor=$(1)' });

describe('annotations', () => {
  it('have the names people already use', () => {
    expect([traceparentAnnotation, tracestateAnnotation]).toEqual([
      'opentelemetry.io/traceparent',
      'opentelemetry.io/tracestate',
    ]);
  });

  it('get both on a copy, as they are: nothing is expanded in an annotation', () => {
    const annotations = Object.freeze({ team: 'a' });
    const injected = injectToAnnotations(annotations, here);
    expect(injected).toEqual({
      team: 'a',
      'opentelemetry.io/traceparent': traceparent,
      'opentelemetry.io/tracestate': 'vendor=$(1)',
    });
    expect(annotations).toEqual({ team: 'a' });
    expectTypeOf(injected.team).toEqualTypeOf<'a'>();
  });

  it('take the active span, and are made where there are none', () => {
    startSdk();
    withSpan('submit', {}, (span) => {
      expect(Object.keys(injectToAnnotations(undefined) ?? {})).toEqual([traceparentAnnotation]);
      expect(injectToAnnotations({})[traceparentAnnotation]).toContain(span.spanContext().spanId);
    });
  });

  it.each([
    { [traceparentAnnotation]: 'mine' },
    { [traceparentAnnotation]: '' },
    { [tracestateAnnotation]: 'mine=1' },
  ])('are left alone where they say %j', (annotations) => {
    expect(injectToAnnotations(annotations, here)).toBe(annotations);
  });

  it('come back as they are where no span is valid', () => {
    const annotations = {};
    expect(injectToAnnotations(annotations)).toBe(annotations);
    expect(injectToAnnotations(undefined)).toBeUndefined();
  });

  it('are read back', () => {
    const from = extractFromAnnotations(injectToAnnotations({}, here), ROOT_CONTEXT);
    expect(trace.getSpanContext(from)).toMatchObject({ traceId, spanId, traceFlags: 1, isRemote: true });
    expect(trace.getSpanContext(from)?.traceState?.serialize()).toBe('vendor=$(1)');
    expect(extractFromAnnotations(undefined, ROOT_CONTEXT)).toBe(ROOT_CONTEXT);
  });

  it('for every span: what was injected is extracted, once, and nothing is changed', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), anyContext, (annotations, from) => {
        const before = structuredClone(annotations);
        const after = injectToAnnotations(Object.freeze(annotations), from);
        expect(annotations).toEqual(before);
        expect(after).toMatchObject(annotations);
        const { traceId, spanId } = trace.getSpanContext(extractFromAnnotations(after, ROOT_CONTEXT)) ?? {};
        expect(trace.getSpanContext(from)).toMatchObject({ traceId, spanId });
        expect(injectToAnnotations(after, contextWith())).toBe(after);
      }),
    );
  });

  it('never throw, whatever they hold', () => {
    fc.assert(
      fc.property(anything, anything, (parent, state) => {
        const hostile = { [traceparentAnnotation]: parent, [tracestateAnnotation]: state };
        extractFromAnnotations(hostile as Record<string, string>, ROOT_CONTEXT);
      }),
    );
  });
});
