import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import type { JobMetadata } from '../../../src/snapshot/snapshot.ts';
import { parentOf } from '../../../src/telemetry/spans/parent.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test.each([
  ['the environment', { TRACEPARENT: traceparent, TRACESTATE: 'vendor=1' }, {}, 'vendor=1'],
  ['the file', {}, { traceparent, tracestate: 'vendor=2' }, 'vendor=2'],
  [
    'the environment, which has none',
    { TRACEPARENT: traceparent },
    { traceparent, tracestate: 'vendor=2' },
    undefined,
  ],
])('the state of a trace is that of %s', (_title, environment, job, state) => {
  const { context } = parentOf(environment, job as JobMetadata);
  expect(context).not.toBe(ROOT_CONTEXT);
  expect(trace.getSpanContext(context)?.traceState?.serialize()).toBe(state);
});
