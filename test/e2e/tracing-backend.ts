import { afterAll, beforeAll } from 'vitest';
import { type Collector, startCollector } from './collector.ts';
import { type Jaeger, startJaeger } from './jaeger.ts';

export interface TracingBackend {
  readonly jaeger: Jaeger;
  /** Exports traces to Jaeger. */
  readonly collector: Collector;
}

/** Runs Jaeger and a Collector for the tests of the file that calls it. */
export function useTracingBackend(): TracingBackend {
  const backend: { jaeger?: Jaeger; collector?: Collector } = {};
  beforeAll(async () => {
    backend.jaeger = await startJaeger();
    backend.collector = await startCollector(backend.jaeger.otlp);
  }, 60_000);
  afterAll(async () => {
    await backend.collector?.stop();
    await backend.jaeger?.stop();
  });
  // Both are there before the first test.
  return backend as TracingBackend;
}
