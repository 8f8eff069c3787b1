import type { Problem } from '../common/setting.ts';

const roots = ['always_on', 'always_off', 'traceidratio', 'jaeger_remote'] as const;

/** The values of OTEL_TRACES_SAMPLER. Source: OpenTelemetry specification, environment variables, general SDK configuration. */
export const samplerNames = [
  ...roots,
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'parentbased_jaeger_remote',
] as const;

export type SamplerName = (typeof samplerNames)[number];

/** A sampler and its parsed argument. */
export type SamplerConfig = { readonly parentBased: boolean } & (
  | { readonly root: 'always_on' | 'always_off' }
  | { readonly root: 'traceidratio'; readonly ratio: number }
  | { readonly root: 'jaeger_remote'; readonly remote: RemoteSamplerConfig }
);

export interface RemoteSamplerConfig {
  /** Base URL of the request `GET /sampling?service=NAME`. */
  readonly endpoint: string;
  readonly pollingIntervalMs: number;
  /** Share of traces that is kept until the first response. */
  readonly initialSamplingRate: number;
}

export type SamplerParseResult =
  | { readonly status: 'ok'; readonly sampler: SamplerConfig }
  | { readonly status: 'invalid'; readonly problem: Problem };

const variable = 'OTEL_TRACES_SAMPLER_ARG';
const invalid = (written: string, expected: string): SamplerParseResult => ({
  status: 'invalid',
  problem: {
    variable,
    message: `${variable} is ${JSON.stringify(written.replace(/\/\/[^/]*@/, '//***@'))}: expected ${expected}`,
  },
});

/** Parses OTEL_TRACES_SAMPLER_ARG for the sampler that it belongs to. Samplers without an argument ignore it, as specified. */
export function parseSampler(name: SamplerName, written: string | undefined): SamplerParseResult {
  const parentBased = name.startsWith('parentbased_');
  const root = name.replace('parentbased_', '') as (typeof roots)[number];
  if (root === 'traceidratio') {
    const ratio = written === undefined ? 1 : shareOf(written);
    return ratio === undefined
      ? invalid(written ?? '', 'a ratio from 0 to 1')
      : { status: 'ok', sampler: { parentBased, root, ratio } };
  }
  if (root === 'jaeger_remote') {
    const remote = readRemote(written ?? '');
    return remote === undefined
      ? invalid(
          written ?? '',
          'endpoint=URL, pollingIntervalMs=a whole number and initialSamplingRate=0 to 1, separated by commas',
        )
      : { status: 'ok', sampler: { parentBased, root, remote } };
  }
  return { status: 'ok', sampler: { parentBased, root } };
}

function shareOf(text: string): number | undefined {
  const share = /^(\d+\.?\d*|\.\d+)(e-?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return share >= 0 && share <= 1 ? share : undefined;
}

const longestIntervalMs = 86_400_000;

function readRemote(written: string): RemoteSamplerConfig | undefined {
  const parts = written.split(',').filter((part) => part.trim() !== '');
  const pairs = parts.map((part) => /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(part));
  const known = new Set(['endpoint', 'pollingIntervalMs', 'initialSamplingRate']);
  if (pairs.some((pair) => pair === null || !known.has(pair[1] ?? ''))) return undefined;
  const given = new Map(pairs.map((pair) => [pair?.[1], pair?.[2] ?? '']));
  const endpoint = given.get('endpoint') ?? 'http://localhost:5778';
  const pollingIntervalMs = Number(given.get('pollingIntervalMs') ?? 60_000);
  const initialSamplingRate = shareOf(given.get('initialSamplingRate') ?? '0.001');
  const isInterval =
    Number.isInteger(pollingIntervalMs) && pollingIntervalMs > 0 && pollingIntervalMs <= longestIntervalMs;
  // Credentials in the URL would be printed with the configuration.
  const isUrl = URL.canParse(endpoint) && /^https?:/i.test(endpoint) && !endpoint.includes('@');
  if (!isUrl || !isInterval) return undefined;
  if (initialSamplingRate === undefined) return undefined;
  return { endpoint: endpoint.replace(/\/+$/, ''), pollingIntervalMs, initialSamplingRate };
}
