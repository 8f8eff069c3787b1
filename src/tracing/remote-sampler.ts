import type { IncomingMessage } from 'node:http';
import { type Sampler, SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import type { RemoteSamplerConfig } from './sampler-config.ts';

const longestRequestMs = 5_000;
const mostBytes = 1_048_576;

/**
 * A sampler that gets its strategy from Jaeger or from the Collector's `jaegerremotesampling` extension. The package
 * `@opentelemetry/sampler-jaeger-remote` is not used, because it is written for the SDK before 3.0, sends its first
 * request only after one interval, and keeps the process alive.
 *
 * While no server answers, the last strategy stays in use. Source: Jaeger, "Remote Sampling APIs".
 */
export function createRemoteSampler(
  { endpoint, pollingIntervalMs, initialSamplingRate }: RemoteSamplerConfig,
  serviceName: string,
  log: (message: string) => void,
): Sampler {
  let current: Strategy = probabilistic(initialSamplingRate);
  let failing = false;

  async function refresh(): Promise<void> {
    try {
      const url = `${endpoint}/sampling?service=${encodeURIComponent(serviceName)}`;
      current = strategyOf(JSON.parse(await bodyOf(url)));
      failing = false;
    } catch (error) {
      if (!failing)
        log(`no sampling strategy from ${endpoint}, the last one stays: ${(error as Error).message}`);
      failing = true;
    }
  }

  void refresh();
  setInterval(() => void refresh(), pollingIntervalMs).unref();
  return {
    shouldSample: (...span) => current(...span),
    toString: () => `JaegerRemoteSampler{${endpoint}}`,
  };
}

type Strategy = Sampler['shouldSample'];

/** Parses a response. Throws if it contains no known strategy. */
function strategyOf(answer: unknown): Strategy {
  const { strategyType, probabilisticSampling, rateLimitingSampling, operationSampling } = record(answer);
  if (operationSampling !== undefined && operationSampling !== null) {
    const { defaultSamplingProbability, perOperationStrategies } = record(operationSampling);
    const others = probabilistic(share(defaultSamplingProbability));
    const list = Array.isArray(perOperationStrategies) ? perOperationStrategies.map(record) : [];
    const byName = new Map(
      list.map((it) => [it.operation, probabilistic(share(record(it.probabilisticSampling).samplingRate))]),
    );
    return (context, traceId, name, ...rest) => (byName.get(name) ?? others)(context, traceId, name, ...rest);
  }
  // The enumeration is sent as a name or as a number, and omitted if it is 0.
  if (strategyType === 'RATE_LIMITING' || strategyType === 1)
    return rateLimited(Number(record(rateLimitingSampling).maxTracesPerSecond));
  return probabilistic(share(record(probabilisticSampling).samplingRate));
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('the response has no strategy');
  return value as Record<string, unknown>;
}

function share(value: unknown): number {
  const rate = value === undefined ? 0 : value;
  if (typeof rate !== 'number' || !(rate >= 0 && rate <= 1))
    throw new Error(`a rate in the response is ${JSON.stringify(value)}, not 0 to 1`);
  return rate;
}

function probabilistic(rate: number): Strategy {
  const sampler = new TraceIdRatioBasedSampler(rate);
  return (context, traceId) => sampler.shouldSample(context, traceId);
}

/** A token bucket of `perSecond` traces, with a burst of at least one. */
function rateLimited(perSecond: number): Strategy {
  if (!(perSecond >= 0)) throw new Error('the response has no rate');
  const most = Math.max(1, perSecond);
  let balance = perSecond === 0 ? 0 : most;
  let lastMs = performance.now();
  return () => {
    const nowMs = performance.now();
    balance = Math.min(most, balance + ((nowMs - lastMs) / 1000) * perSecond);
    lastMs = nowMs;
    if (balance < 1) return { decision: SamplingDecision.NOT_RECORD };
    balance -= 1;
    return { decision: SamplingDecision.RECORD_AND_SAMPLED };
  };
}

/** The body of a response with status 200. Uses node:http, because fetch needs WebAssembly, which V8's lite mode does not have. */
async function bodyOf(url: string): Promise<string> {
  const { get } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const signal = AbortSignal.timeout(longestRequestMs);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { signal }, resolve).on('error', reject);
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error(`the response is longer than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}`);
  return Buffer.concat(chunks).toString();
}
