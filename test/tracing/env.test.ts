import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import {
  type EnvVar,
  extractFromEnv,
  injectToEnv,
  injectToEnvList,
  withSpan,
} from '../../src/tracing/index.ts';
import { startSdk } from './support/sdk.ts';
import {
  anyContext,
  anything,
  contextWith,
  hostileTraceparent,
  traceparent,
} from './support/trace-headers.ts';

const here = contextWith({ state: 'vendor=1' });
const frozen = <T extends object>(value: T): T => Object.freeze(value);

describe('injectToEnv, a record', () => {
  it('adds both variables to a copy', () => {
    const env = frozen({ PATH: '/bin' });
    const injected = injectToEnv(env, here);
    expect(injected).toEqual({ PATH: '/bin', TRACEPARENT: traceparent, TRACESTATE: 'vendor=1' });
    expect(env).toEqual({ PATH: '/bin' });
    expectTypeOf(injected.PATH).toEqualTypeOf<string>();
    expectTypeOf(injected.TRACEPARENT).toEqualTypeOf<string | undefined>();
  });

  it('adds no TRACESTATE where there is none', () => {
    expect(injectToEnv({}, contextWith())).toEqual({ TRACEPARENT: traceparent });
    expect(injectToEnv({}, contextWith({ state: '' }))).toEqual({ TRACEPARENT: traceparent });
  });

  it('makes a record where there is none', () => {
    expect(injectToEnv(undefined, contextWith())).toEqual({ TRACEPARENT: traceparent });
  });

  it.each([
    ['a TRACEPARENT', { TRACEPARENT: 'mine' }],
    ['an empty TRACEPARENT', { TRACEPARENT: '' }],
    ['a TRACESTATE, which must not meet a TRACEPARENT of someone else', { TRACESTATE: 'mine=1' }],
    ['both', { TRACEPARENT: 'mine', TRACESTATE: 'mine=1' }],
  ])('leaves an environment with %s alone', (_what, env) => {
    expect(injectToEnv(env, here)).toBe(env);
  });

  it('takes a variable whose value is undefined as not set', () => {
    expect(injectToEnv({ TRACEPARENT: undefined }, contextWith())).toEqual({ TRACEPARENT: traceparent });
  });

  it('gives back the same object where no span is valid', () => {
    const env = { PATH: '/bin' };
    expect(injectToEnv(env)).toBe(env);
    expect(injectToEnv(env, contextWith({ traceId: '0'.repeat(32) }))).toBe(env);
    expect(injectToEnv(undefined)).toBeUndefined();
  });

  it('takes the active span', () => {
    startSdk();
    withSpan('submit', {}, (span) => {
      const { traceId, spanId } = span.spanContext();
      expect(injectToEnv({})).toEqual({ TRACEPARENT: `00-${traceId}-${spanId}-01` });
    });
  });

  it('never carries baggage, whatever the global propagator does', () => {
    propagation.setGlobalPropagator(
      new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
    );
    onTestFinished(() => propagation.disable());
    const secret = propagation.createBaggage({ user: { value: 'alice' } });
    const from = propagation.setBaggage(contextWith(), secret);
    expect(injectToEnv({}, from)).toEqual({ TRACEPARENT: traceparent });
    expect(injectToEnv([], from)).toEqual([{ name: 'TRACEPARENT', value: traceparent }]);
    const extracted = extractFromEnv({ TRACEPARENT: traceparent, BAGGAGE: 'user=alice' }, ROOT_CONTEXT);
    expect(propagation.getBaggage(extracted)).toBeUndefined();
  });
});

describe('injectToEnv, a Kubernetes list', () => {
  it('adds both variables at the end of a copy', () => {
    const env = frozen([
      { name: 'A', value: '1' },
      { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
    ]);
    expect(injectToEnv(env, here)).toEqual([
      ...env,
      { name: 'TRACEPARENT', value: traceparent },
      { name: 'TRACESTATE', value: 'vendor=1' },
    ]);
    expect(env).toHaveLength(2);
  });

  it.each([
    ['TRACEPARENT', [{ name: 'TRACEPARENT', value: 'mine' }]],
    ['an empty TRACEPARENT', [{ name: 'TRACEPARENT' }]],
    ['TRACEPARENT from elsewhere', [{ name: 'TRACEPARENT', valueFrom: { fieldRef: { fieldPath: 'x' } } }]],
    ['TRACESTATE', [{ name: 'TRACESTATE', value: 'mine=1' }]],
  ] satisfies [string, EnvVar[]][])('leaves a list with %s alone', (_what, env) => {
    expect(injectToEnv(env, here)).toBe(env);
  });

  it('gives back the same list where no span is valid', () => {
    const env: EnvVar[] = [];
    expect(injectToEnv(env)).toBe(env);
    expect(injectToEnvList(undefined)).toBeUndefined();
  });

  it('makes a list for a container without one', () => {
    const container: { env?: EnvVar[] } = {};
    const env = injectToEnvList(container.env, contextWith());
    expectTypeOf(env).toEqualTypeOf<EnvVar[] | undefined>();
    expect(env).toEqual([{ name: 'TRACEPARENT', value: traceparent }]);
    // @ts-expect-error of undefined alone it cannot be told that a list is wanted
    injectToEnv(container.env);
  });

  it('does not let a tracestate name other variables of the pod', () => {
    const from = contextWith({ state: 'a=$(SECRET),b=$$' });
    const env = injectToEnv([] as EnvVar[], from);
    expect(env[1]).toEqual({ name: 'TRACESTATE', value: 'a=$$(SECRET),b=$$$$' });
    expect(trace.getSpanContext(extractFromEnv(env, ROOT_CONTEXT))?.traceState?.serialize()).toBe(
      'a=$(SECRET),b=$$',
    );
  });
});

describe('extractFromEnv', () => {
  it('takes the active context where none is given', () => {
    expect(extractFromEnv({ TRACEPARENT: 'nonsense' })).toBe(context.active());
    expect(extractFromEnv(undefined)).toBe(context.active());
    expect(trace.getSpanContext(extractFromEnv(process.env))).toBeUndefined();
  });

  it('takes the last of two entries, as Kubernetes does', () => {
    const other = traceparent.replace('4bf9', '5bf9');
    const list = [other, traceparent].map((value) => ({ name: 'TRACEPARENT', value }));
    expect(trace.getSpanContext(extractFromEnv(list))).toMatchObject({ traceId: traceparent.slice(3, 35) });
  });

  it('survives lists that are none', () => {
    const hostile = [null, 1, { name: 'TRACEPARENT', value: 7 }] as unknown as EnvVar[];
    expect(extractFromEnv(hostile, ROOT_CONTEXT)).toBe(ROOT_CONTEXT);
  });
});

const ids = (from: ReturnType<typeof contextWith>) => {
  const { traceId, spanId, traceFlags = 0, traceState } = trace.getSpanContext(from) ?? {};
  return { traceId, spanId, traceFlags: traceFlags & 3, state: traceState?.serialize() };
};

const record = fc.dictionary(
  fc.oneof(fc.constantFrom('TRACEPARENT', 'TRACESTATE', '__proto__'), fc.string()),
  fc.option(fc.string(), { nil: undefined }),
);
const list = fc.array(
  fc.record(
    {
      name: fc.oneof(fc.constantFrom('TRACEPARENT', 'TRACESTATE'), fc.string()),
      value: fc.string(),
      valueFrom: fc.constant({ fieldRef: {} }),
    },
    { requiredKeys: ['name'] },
  ),
);

describe('for every environment and span', () => {
  it('what was injected is extracted', () => {
    fc.assert(
      fc.property(anyContext, (from) => {
        expect(ids(extractFromEnv(injectToEnv({}, from), ROOT_CONTEXT))).toEqual(ids(from));
        expect(ids(extractFromEnv(injectToEnv([] as EnvVar[], from), ROOT_CONTEXT))).toEqual(ids(from));
      }),
    );
  });

  it('a record keeps what it has, is never changed, and gets both variables or none', () => {
    fc.assert(
      fc.property(record, fc.oneof(anyContext, fc.constant(ROOT_CONTEXT)), (env, from) => {
        const before = structuredClone(env);
        const after: Record<string, string | undefined> = injectToEnv(Object.freeze(env), from);
        expect(env).toEqual(before);
        for (const [name, value] of Object.entries(env)) {
          if (value !== undefined && name !== '__proto__') expect(after[name]).toBe(value);
        }
        const foreign = env.TRACEPARENT !== undefined || env.TRACESTATE !== undefined;
        if (foreign || from === ROOT_CONTEXT) expect(after).toBe(env);
        else expect(ids(extractFromEnv(after, ROOT_CONTEXT))).toEqual(ids(from));
        if (after !== env) expect(injectToEnv(after, contextWith())).toBe(after);
      }),
    );
  });

  it('a list keeps what it has, is never changed, and is injected once', () => {
    fc.assert(
      fc.property(list, anyContext, (env, from) => {
        const before = structuredClone(env);
        const after = injectToEnv(Object.freeze(env) as readonly EnvVar[], from);
        expect(env).toEqual(before);
        expect(after.slice(0, env.length)).toEqual(env);
        expect(injectToEnv(after, contextWith())).toBe(after);
      }),
    );
  });

  it('nothing hostile throws', () => {
    fc.assert(
      fc.property(anything, anything, (TRACEPARENT, TRACESTATE) => {
        extractFromEnv({ TRACEPARENT, TRACESTATE } as Record<string, string>, ROOT_CONTEXT);
      }),
    );
    fc.assert(
      fc.property(hostileTraceparent, (value) => {
        extractFromEnv([{ name: 'TRACEPARENT', value }], ROOT_CONTEXT);
      }),
    );
  });
});
