import {
  type Context,
  context,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import { extractFromEnv, injectToEnv, startSpan, withSpan } from '../../src/tracing/index.ts';
import { startSdk } from './support/sdk.ts';
import { spanId, traceId } from './support/trace-headers.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('withSpan', () => {
  it('gives back what a synchronous function gives, and ends the span', () => {
    const sdk = startSdk();
    const result = withSpan('prepare', { 'job.id': 'a' }, () => ({ rows: 3 }));
    expectTypeOf(result).toEqualTypeOf<{ rows: number }>();
    expect(result).toEqual({ rows: 3 });
    expect(sdk.only()).toMatchObject({ name: 'prepare', attributes: { 'job.id': 'a' }, ended: true });
    expect(sdk.only().status.code).toBe(SpanStatusCode.UNSET);
    expect(sdk.only().instrumentationScope.name).toBe('ml-metrics-bridge/tracing');
  });

  it('ends the span of an asynchronous function when it is done, not when it returns', async () => {
    const sdk = startSdk();
    const pending = withSpan('submit', {}, async () => {
      await tick();
      return 7;
    });
    expectTypeOf(pending).toEqualTypeOf<Promise<number>>();
    expect(sdk.spans()).toHaveLength(0);
    expect(await pending).toBe(7);
    expect(sdk.only().name).toBe('submit');
  });

  it('records what is thrown, marks the span, ends it and throws the same', () => {
    const sdk = startSdk();
    const error = new RangeError('no such queue');
    const fails = () =>
      withSpan('submit', {}, () => {
        throw error;
      });
    expect(fails).toThrow(error);
    const span = sdk.only();
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no such queue' });
    expect(span.attributes['error.type']).toBe('RangeError');
    expect(span.events).toMatchObject([
      {
        name: 'exception',
        attributes: { 'exception.type': 'RangeError', 'exception.message': 'no such queue' },
      },
    ]);
  });

  it('records what a promise is rejected with, and rejects with the same', async () => {
    const sdk = startSdk();
    const error = new Error('timed out');
    await expect(withSpan('submit', {}, () => Promise.reject(error))).rejects.toBe(error);
    expect(sdk.only().status.code).toBe(SpanStatusCode.ERROR);
    expect(sdk.only().events).toHaveLength(1);
  });

  it.each([
    ['a string', 'full', 'string', 'full'],
    ['undefined', undefined, 'undefined', 'undefined'],
    ['null', null, 'object', 'null'],
    ['a number', 4, 'number', '4'],
    ['a symbol', Symbol('s'), 'symbol', 'Symbol(s)'],
    ['an object without prototype', Object.create(null), 'Error', ''],
    ['what looks like an error', { name: 'ApiException', message: 'HTTP 403' }, 'ApiException', 'HTTP 403'],
  ])('takes %s for an error', (_what, thrown, type, message) => {
    const sdk = startSdk();
    let caught: unknown = 'nothing';
    try {
      withSpan('submit', {}, () => {
        throw thrown;
      });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(thrown);
    expect(sdk.only().attributes['error.type']).toBe(type);
    expect(sdk.only().status).toEqual({ code: SpanStatusCode.ERROR, message });
    expect(sdk.only().events).toHaveLength(1);
  });

  it('throws the error of the function, ends the span, even where the error cannot be looked at', () => {
    const sdk = startSdk();
    const hostile = Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error('not this one');
      },
    });
    let caught: unknown;
    try {
      withSpan('submit', {}, () => {
        throw hostile;
      });
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(hostile);
    expect(sdk.only().ended).toBe(true);
  });

  it('is active inside, across awaits too, so that spans nest', async () => {
    const sdk = startSdk();
    await withSpan('outer', {}, async (outer) => {
      await tick();
      expect(trace.getActiveSpan()).toBe(outer);
      withSpan('inner', {}, () => undefined);
    });
    const [inner, outer] = sdk.spans();
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(inner?.spanContext().traceId).toBe(outer?.spanContext().traceId);
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  it('takes kind, links and a parent', () => {
    const sdk = startSdk();
    const remote = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true };
    const parent = trace.setSpanContext(ROOT_CONTEXT, remote);
    withSpan('submit', {}, () => undefined, { kind: SpanKind.CLIENT, parent, links: [{ context: remote }] });
    const span = sdk.only();
    expect(span.kind).toBe(SpanKind.CLIENT);
    expect(span.parentSpanContext).toMatchObject(remote);
    expect(span.links).toHaveLength(1);
  });

  it('runs a lazy thenable once', async () => {
    const sdk = startSdk();
    let runs = 0;
    const query: PromiseLike<number> = {
      // biome-ignore lint/suspicious/noThenProperty: this is what a query builder is
      then: (onfulfilled, onrejected) => Promise.resolve(++runs).then(onfulfilled, onrejected),
    };
    expect(await withSpan('query', {}, () => query)).toBe(1);
    expect(runs).toBe(1);
    expect(sdk.only().ended).toBe(true);
  });

  it('keeps a rejection that nobody handles visible, and once', async () => {
    startSdk();
    const seen: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', (error) => seen.push(error));
    try {
      const error = new Error('nobody looks');
      void withSpan('submit', {}, () => Promise.reject(error));
      await tick();
      await tick();
      expect(seen).toEqual([error]);
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
  });

  it.each(['onStart', 'onEnd'] as const)('survives an SDK whose processor throws in %s', (where) => {
    const broken = () => {
      throw new Error('broken processor');
    };
    const done = () => Promise.resolve();
    const processor = {
      onStart: () => {},
      onEnd: () => {},
      forceFlush: done,
      shutdown: done,
      [where]: broken,
    };
    startSdk({ processors: [processor] });
    expect(withSpan('submit', {}, () => 'submitted')).toBe('submitted');
  });

  it('returns the very promise where the span is not sampled', () => {
    const sdk = startSdk({ sampler: new AlwaysOffSampler() });
    const promise = Promise.resolve(1);
    expect(withSpan('submit', {}, () => promise)).toBe(promise);
    expect(sdk.spans()).toHaveLength(0);
  });
});

describe('startSpan', () => {
  it('is active only in run, and ends when told to', () => {
    const sdk = startSdk();
    const open = startSpan('watch', { 'job.id': 'a' });
    expect(trace.getActiveSpan()).toBeUndefined();
    expect(open.run(() => trace.getActiveSpan())).toBe(open.span);
    expect(() =>
      open.run(() => {
        throw new Error('of the caller');
      }),
    ).toThrow('of the caller');
    expect(sdk.spans()).toHaveLength(0);
    open.end();
    expect(sdk.only().status.code).toBe(SpanStatusCode.UNSET);
  });

  it('ends once: what comes after end or fail does not count', () => {
    const sdk = startSdk();
    const open = startSpan('watch', {});
    const complaints: unknown[] = [];
    const complain = (...parts: unknown[]) => void complaints.push(parts);
    const logger = { error: complain, warn: complain, info: complain, debug: complain, verbose: complain };
    diag.setLogger(logger, DiagLogLevel.WARN);
    onTestFinished(() => diag.disable());
    open.fail(new Error('gone'));
    open.end();
    open.fail(new Error('again'));
    expect(complaints).toEqual([]);
    expect(sdk.only().status).toEqual({ code: SpanStatusCode.ERROR, message: 'gone' });
    expect(sdk.only().events).toHaveLength(1);
  });

  it('hands out its context', () => {
    startSdk();
    const open = startSpan('watch', {});
    expectTypeOf(open.context).toEqualTypeOf<Context>();
    expect(trace.getSpan(open.context)).toBe(open.span);
    expect(trace.getSpan(context.active())).toBeUndefined();
  });
});

describe('the random flag of a parent', () => {
  const parentWith = (flags: string) =>
    extractFromEnv({ TRACEPARENT: `00-${traceId}-${spanId}-${flags}` }, ROOT_CONTEXT);
  const injected = (parent: Context) =>
    injectToEnv({}, startSpan('submit', {}, { parent }).context).TRACEPARENT;

  it.each(['00', '01', '02', '03'])('is kept by its children: %s', (flags) => {
    startSdk();
    expect(injected(parentWith(flags))?.slice(-3)).toBe(`-${flags}`);
  });

  it('is not given to the root of a new trace', () => {
    startSdk();
    const invalid = trace.setSpanContext(ROOT_CONTEXT, { traceId: '0', spanId, traceFlags: 3 });
    expect(injected(invalid)?.slice(-3)).toBe('-01');
  });
});
