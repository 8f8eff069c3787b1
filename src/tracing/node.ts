/**
 * Sets up the OpenTelemetry SDK in an application that submits training jobs, so that the spans of
 * `ml-metrics-bridge/tracing` and of every other instrumented library are exported.
 */
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type Sampler,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { readSettings } from '../common/setting.ts';
import { createExporterFromSettings } from './exporter.ts';
import { type FlushOptions, type FlushResult, flushWithin } from './flush.ts';
import { jaegerAgentWarning } from './jaeger.ts';
import { randomFlagProcessor } from './random-flag.ts';
import { createSampler } from './sampler.ts';
import { parseSampler } from './sampler-config.ts';
import { type TracingValues, tracingSettings } from './settings.ts';

export type { FlushOptions, FlushResult } from './flush.ts';

export interface TracingOptions {
  /** `service.name`, used if neither OTEL_SERVICE_NAME nor OTEL_RESOURCE_ATTRIBUTES sets it. */
  readonly serviceName: string;
  readonly serviceVersion?: string;
  /** false turns tracing off. Otherwise TRACING_ENABLED=false can still turn it off. */
  readonly enabled?: boolean;
  /** Address of the Collector, used if OTEL_EXPORTER_OTLP_ENDPOINT is not set. */
  readonly endpoint?: string;
  /** Additional resource attributes. */
  readonly resource?: Readonly<Record<string, string | number | boolean>>;
  /**
   * `console`: if the Collector cannot be reached at the first export, spans are printed to standard output from then
   * on. `none`, the default: they are lost, with a warning, because the standard output belongs to the program.
   */
  readonly fallback?: 'console' | 'none';
  /** Receives warnings, one line each. Default: `console.warn`. */
  readonly log?: (message: string) => void;
}

export interface TracingHandle {
  /** Exports all spans that have ended. */
  forceFlush(options?: FlushOptions): Promise<FlushResult>;
  /** Exports all spans that have ended and shuts tracing down. Afterwards `configureTracing` may be called again. */
  shutdown(options?: FlushOptions): Promise<FlushResult>;
}

export type Tracing = TracingHandle &
  (
    | { readonly status: 'on'; readonly exporter: 'otlp' | 'console' | 'none' }
    | { readonly status: 'off'; readonly reason: string }
  );

let configured: Tracing | undefined;

/**
 * Sets up tracing for the whole process from the standard variables and the options of the program. It never throws and
 * never waits. Problems are logged, an invalid variable is replaced by its default, and if tracing cannot be set up, the
 * status is `off` and spans are no-ops.
 *
 * A second call returns the result of the first call and logs a warning. If another OpenTelemetry SDK is already set up,
 * it stays in use.
 */
export function configureTracing(options: TracingOptions): Tracing {
  const log = (message: string) => (options.log ?? console.warn)(`tracing: ${message}`);
  if (configured !== undefined) {
    log('configureTracing was called before; its first result stays in use, and these options are ignored');
    return configured;
  }
  const { values, problems } = readSettings(tracingSettings, process.env);
  if (options.enabled === false) return off('disabled by the program');
  if (values.enabled === 'false') return off('TRACING_ENABLED is false');
  if (values.sdkDisabled) return off('OTEL_SDK_DISABLED is true');
  const sampler = parseSampler(values.sampler, values.samplerArgument);
  const all = sampler.status === 'invalid' ? [...problems, sampler.problem] : problems;
  for (const { message } of all) log(`${message}; the default is used`);
  const advice = jaegerAgentWarning(process.env);
  if (advice !== undefined) log(advice);
  try {
    const exporter = createExporterFromSettings({
      values,
      endpoint: options.endpoint,
      fallback: options.fallback ?? 'none',
      log,
    });
    const resource = resourceFor(values, options);
    const choice =
      sampler.status === 'ok' ? sampler.sampler : ({ root: 'always_on', parentBased: true } as const);
    const sampling = createSampler(choice, String(resource.attributes['service.name']), log);
    const tracing = setUp(providerFor(values, exporter, resource, sampling), exporter, values);
    if (tracing.status === 'off') log(tracing.reason);
    else configured = tracing;
    return tracing;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log(`off: ${reason}`);
    return off(reason);
  }
}

function off(reason: string): Tracing {
  const done = async (): Promise<FlushResult> => ({ status: 'ok' });
  return { status: 'off', reason, forceFlush: done, shutdown: done };
}

function setUp(
  provider: TracerProvider,
  exporter: SpanExporter | undefined,
  { exporter: kind }: TracingValues,
): Tracing {
  if (!trace.setGlobalTracerProvider(provider)) {
    void provider.shutdown().catch(() => undefined);
    return off('another OpenTelemetry SDK is already set up in this process and stays in use');
  }
  // A context manager or propagator that the application has set stays, and is not removed at shutdown.
  const manager = new AsyncLocalStorageContextManager().enable();
  const ownsContext = context.setGlobalContextManager(manager);
  if (!ownsContext) manager.disable();
  const ownsPropagation = propagation.setGlobalPropagator(new W3CTraceContextPropagator());

  const shutDown = async () => {
    trace.disable();
    if (ownsContext) context.disable();
    if (ownsPropagation) propagation.disable();
    configured = undefined;
    // The provider does not close the exporter's connection if the last flush fails.
    await provider.shutdown().finally(() => exporter?.shutdown());
  };
  let shutdown: Promise<void> | undefined;
  return {
    status: 'on',
    exporter: kind,
    // The provider's flush exports the spans that wait; only the exporter knows the requests in flight.
    forceFlush: (options) =>
      flushWithin(Promise.all([provider.forceFlush(), exporter?.forceFlush?.()]), options),
    shutdown: (options) => {
      shutdown ??= shutDown();
      return flushWithin(shutdown, options);
    },
  };
}

function providerFor(
  values: TracingValues,
  exporter: SpanExporter | undefined,
  resource: Resource,
  sampler: Sampler,
) {
  const batch = {
    maxQueueSize: values.queueSize,
    maxExportBatchSize: Math.min(values.batchSize, values.queueSize),
    scheduledDelayMillis: values.delayMs,
    exportTimeoutMillis: values.exportTimeoutMs,
  };
  return new TracerProvider({
    resource,
    sampler,
    spanProcessors: [
      randomFlagProcessor,
      ...(exporter === undefined ? [] : [new BatchSpanProcessor({ exporter, ...batch })]),
    ],
  });
}

/** Source: OpenTelemetry specification, resource SDK: OTEL_SERVICE_NAME wins over OTEL_RESOURCE_ATTRIBUTES. */
function resourceFor(values: TracingValues, options: TracingOptions): Resource {
  const given = values.resourceAttributes;
  const { serviceName, serviceVersion, resource } = options;
  return defaultResource().merge(
    resourceFromAttributes({
      ...resource,
      ...(serviceVersion === undefined ? {} : { 'service.version': serviceVersion }),
      ...given,
      'service.name': values.serviceName ?? given['service.name'] ?? serviceName,
    }),
  );
}
