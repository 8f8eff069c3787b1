/**
 * For applications that submit training jobs: sets up the OpenTelemetry SDK, so that the spans of
 * `ml-metrics-bridge/tracing` (and of every other library) are sent.
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
import { createSampler } from './sampler.ts';
import { parseSampler } from './sampler-config.ts';
import { type TracingValues, tracingSettings } from './settings.ts';

export type { FlushOptions, FlushResult } from './flush.ts';

export interface TracingOptions {
  /** `service.name`, where OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES name none. */
  readonly serviceName: string;
  readonly serviceVersion?: string;
  /** false switches tracing off. On, it can still be switched off with TRACING_ENABLED=false. */
  readonly enabled?: boolean;
  /** Address of the Collector, where OTEL_EXPORTER_OTLP_ENDPOINT gives none. */
  readonly endpoint?: string;
  /** More resource attributes. */
  readonly resource?: Readonly<Record<string, string | number | boolean>>;
  /**
   * `console`: where the Collector cannot be reached at the first export, spans are printed to standard output from
   * then on. `none`, the default: they are lost, with a warning, because the output of a program is not ours to write to.
   */
  readonly fallback?: 'console' | 'none';
  /** Takes what a person should know, one line each; `console.warn` if not given. */
  readonly log?: (message: string) => void;
}

export interface TracingHandle {
  /** Sends what has ended so far. */
  forceFlush(options?: FlushOptions): Promise<FlushResult>;
  /** Sends what has ended so far and takes tracing down; after it `configureTracing` may be called again. */
  shutdown(options?: FlushOptions): Promise<FlushResult>;
}

export type Tracing = TracingHandle &
  (
    | { readonly status: 'on'; readonly exporter: 'otlp' | 'console' | 'none' }
    | { readonly status: 'off'; readonly reason: string }
  );

let configured: Tracing | undefined;

/**
 * Sets up tracing for the whole process, from the standard variables and what the program gives. It never throws and
 * never waits: what is wrong is said to `log`, a wrong variable is replaced by its default, and where tracing cannot be
 * set up at all its status is `off` and spans are no-ops.
 *
 * Called again it gives back what the first call set up, and says so. Where another OpenTelemetry SDK is set up
 * already, that one stays.
 */
export function configureTracing(options: TracingOptions): Tracing {
  const log = (message: string) => (options.log ?? console.warn)(`tracing: ${message}`);
  if (configured !== undefined) {
    log('configureTracing was called before; what it set up then stays, and these options are ignored');
    return configured;
  }
  const { values, problems } = readSettings(tracingSettings, process.env);
  if (options.enabled === false) return off('switched off by the program');
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
    return off('another OpenTelemetry SDK is set up in this process; it is used');
  }
  // What an application has set itself stays, and is not taken down with ours.
  const manager = new AsyncLocalStorageContextManager().enable();
  const ownsContext = context.setGlobalContextManager(manager);
  if (!ownsContext) manager.disable();
  const ownsPropagation = propagation.setGlobalPropagator(new W3CTraceContextPropagator());

  const takeDown = async () => {
    trace.disable();
    if (ownsContext) context.disable();
    if (ownsPropagation) propagation.disable();
    configured = undefined;
    // A last flush that fails would leave the exporter's connection open.
    await provider.shutdown().finally(() => exporter?.shutdown());
  };
  let down: Promise<void> | undefined;
  return {
    status: 'on',
    exporter: kind,
    // The provider's flush sends what waits; what is already on its way is the exporter's to wait for.
    forceFlush: (options) =>
      flushWithin(Promise.all([provider.forceFlush(), exporter?.forceFlush?.()]), options),
    shutdown: (options) => {
      down ??= takeDown();
      return flushWithin(down, options);
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
    spanProcessors: exporter === undefined ? [] : [new BatchSpanProcessor({ exporter, ...batch })],
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
