import type { IncomingMessage } from 'node:http';
import type { Attributes, Span } from '@opentelemetry/api';
import { type Instrumentation, registerInstrumentations } from '@opentelemetry/instrumentation';
import { ExpressInstrumentation, ExpressLayerType } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RedisInstrumentation } from '@opentelemetry/instrumentation-redis';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { register } from 'import-in-the-middle/register-hooks.mjs';

/** Kubernetes requests these every few seconds; their spans are of no use. */
const healthPaths = new Set(['/healthz', '/readyz']);

const pathOf = ({ url = '/' }: IncomingMessage) => url.split('?')[0] ?? url;

const begins = new WeakMap<object, number>();

/**
 * Response time, in seconds. In the conventions this is the name of a metric. The attribute is for backends that cannot
 * search by the duration of a span.
 */
function responseTime(request: object): Attributes {
  const begin = begins.get(request);
  return begin === undefined ? {} : { 'http.server.request.duration': (performance.now() - begin) / 1000 };
}

/**
 * The official instrumentations for incoming HTTP (http, express), outgoing HTTP (fetch), Postgres and Redis. They set client
 * address, user agent, route and status code by the semantic conventions for HTTP.
 */
function instrumentations(): Instrumentation[] {
  return [
    new HttpInstrumentation({
      ignoreIncomingRequestHook: (request) => healthPaths.has(pathOf(request)),
      requestHook: (_span: Span, request) => void begins.set(request, performance.now()),
      applyCustomAttributesOnSpan: (span, request) => void span.setAttributes(responseTime(request)),
    }),
    // Only for the route: a span for each middleware adds nothing to the span of the request.
    new ExpressInstrumentation({
      ignoreLayersType: [
        ExpressLayerType.MIDDLEWARE,
        ExpressLayerType.REQUEST_HANDLER,
        ExpressLayerType.ROUTER,
      ],
    }),
    // Work outside of a request, such as creating a table at the start, does not begin a trace.
    new UndiciInstrumentation({ requireParentforSpans: true }),
    new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
    new RedisInstrumentation({ requireParentSpan: true }),
  ];
}

/** Has to be called before any instrumented package is imported. */
export function instrument(): void {
  // Needed for instrumented packages that are loaded by import and not by require.
  register();
  registerInstrumentations({ instrumentations: instrumentations() });
}
