import type { IncomingMessage } from 'node:http';
import type { Attributes, Span } from '@opentelemetry/api';
import { type Instrumentation, registerInstrumentations } from '@opentelemetry/instrumentation';
import { ExpressInstrumentation, ExpressLayerType } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { register } from 'import-in-the-middle/register-hooks.mjs';

/** Asked every few seconds by Kubernetes, and of no interest to anyone. */
const healthPaths = new Set(['/healthz', '/readyz']);

const pathOf = ({ url = '/' }: IncomingMessage) => url.split('?')[0] ?? url;

const begins = new WeakMap<object, number>();

/**
 * Response time, in seconds. The conventions have it as a metric of this name; as an attribute it can be searched for
 * where a backend cannot search by the length of a span.
 */
function responseTime(request: object): Attributes {
  const begin = begins.get(request);
  return begin === undefined ? {} : { 'http.server.request.duration': (performance.now() - begin) / 1000 };
}

/**
 * The official instrumentations of what this service is made of: HTTP in (http, express), HTTP out (fetch) and Postgres.
 * Client address, user agent, route and status code come from them, by the semantic conventions for HTTP.
 */
function instrumentations(): Instrumentation[] {
  return [
    new HttpInstrumentation({
      ignoreIncomingRequestHook: (request) => healthPaths.has(pathOf(request)),
      requestHook: (_span: Span, request) => void begins.set(request, performance.now()),
      applyCustomAttributesOnSpan: (span, request) => void span.setAttributes(responseTime(request)),
    }),
    // For the route alone: a span for each middleware says nothing that the request's does not.
    new ExpressInstrumentation({
      ignoreLayersType: [
        ExpressLayerType.MIDDLEWARE,
        ExpressLayerType.REQUEST_HANDLER,
        ExpressLayerType.ROUTER,
      ],
    }),
    // What happens outside of a request, such as making a table at the start, is no trace of its own.
    new UndiciInstrumentation({ requireParentforSpans: true }),
    new PgInstrumentation({ requireParentSpan: true, ignoreConnectSpans: true }),
  ];
}

/** To be called before anything that is instrumented is imported. */
export function instrument(): void {
  // Instrumented packages that are imported, and not required, are reached through this alone.
  register();
  registerInstrumentations({ instrumentations: instrumentations() });
}
