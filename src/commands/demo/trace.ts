import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { runSpans } from '../../catalogue/spans.ts';
import { version } from '../../common/version.ts';
import { injectToEnv } from '../../tracing/env.ts';
import { operationAttributes, operations } from '../../tracing/operations.ts';
import { type DemoOptions, job, runJob } from './job.ts';
import type { ReceivedSpan } from './receiver/span.ts';
import { startTraceReceiver } from './receiver/trace-receiver.ts';
import { formatSpan, formatTrace } from './trace-text.ts';

/**
 * Submits a simulated training job in a span, as a platform does, and shows the spans as they arrive, and then the whole
 * trace. Exit code 0 if the run is a child of the submission and each epoch a child of the run.
 */
export async function demoTrace({ output, signal, overrides }: DemoOptions): Promise<number> {
  const print = (...lines: readonly string[]) => output.write(lines.map((line) => `${line}\n`).join(''));
  const receiver = await startTraceReceiver({ onSpan: (span) => print(`  received  ${formatSpan(span)}`) });
  try {
    print('The platform submits the job in a span, and hands its context to the pod:', '');
    const context = await submit(receiver.endpoint);
    print('', ...Object.entries(context).map(([name, value]) => `  ${name}=${value}`), '');
    print('The job writes its metrics file. The bridge reads it and sends the spans of the run:', '');
    const { last } = await runJob({
      signal,
      variables: {
        ...overrides,
        ...context,
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_BSP_SCHEDULE_DELAY: '100',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      },
    });
    const complete = isOneTrace(receiver.spans, last?.step.epoch ?? 0);
    print('', 'The trace:', '', ...formatTrace(receiver.spans), '', ...(complete ? hints : [incomplete]));
    return complete ? 0 : 1;
  } finally {
    receiver.stop();
  }
}

const incomplete = 'Not all spans of the run arrived.';
const hints = [
  'For your own job: OTEL_TRACES_EXPORTER=otlp sends spans to a Collector, console prints them, and otlp,console prints',
  'them if the Collector cannot be reached at the start. See docs/tracing.md.',
];

/** Creates the span of the submission and returns the variables that carry its context to the pod. */
async function submit(endpoint: string) {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'training-platform' }),
    spanProcessors: [new SimpleSpanProcessor({ exporter: new OTLPTraceExporter({ url: endpoint }) })],
  });
  const name = 'trainer.submit_job';
  const span = provider.getTracer('ml-metrics-bridge', version).startSpan(
    name,
    {
      kind: operations[name].kind,
      attributes: operationAttributes(name, { jobName: job.JOB_ID, jobType: 'Job' }),
    },
    ROOT_CONTEXT,
  );
  const variables = injectToEnv({}, trace.setSpan(ROOT_CONTEXT, span));
  span.end();
  await provider.shutdown();
  return variables;
}

function isOneTrace(spans: readonly ReceivedSpan[], epochs: number): boolean {
  const [submission] = spans;
  const run = spans.find(({ name }) => name === runSpans.run.name);
  const epochSpans = spans.filter(({ name }) => name === runSpans.epoch.name);
  return (
    run?.parentSpanId === submission?.spanId &&
    epochSpans.length === epochs &&
    epochSpans.every(({ parentSpanId }) => parentSpanId === run?.spanId) &&
    spans.every(({ traceId }) => traceId === submission?.traceId)
  );
}
