import { type JaegerSpan, jaegerApi } from '../jaeger.ts';
import type { Stack } from './stack.ts';

const name = 'training.run.started';

/** The span of the beginning of the run that the bridge traces; waits until Jaeger has it, some seconds after that. */
export async function runStarted(stack: Stack): Promise<JaegerSpan | undefined> {
  const lines = await stack.logs('otel-metrics-bridge');
  const traced = lines.find(({ message }) => message === 'Run is traced');
  const jaeger = jaegerApi(await stack.url('jaeger', 16_686));
  const spans = await jaeger.trace(String(traced?.traceId), [name]);
  return spans.find((span) => span.name === name);
}
