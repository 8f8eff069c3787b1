import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

const roots = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio: number) => new TraceIdRatioBasedSampler(ratio),
} as const;

/** The values of OTEL_TRACES_SAMPLER that need nothing but the SDK; the remote ones are not implemented by it. */
export const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** The sampler of OTEL_TRACES_SAMPLER and its ARG. The SDK itself no longer reads them (3.0). */
export function samplerOf(name: (typeof samplers)[number], ratio: number): Sampler {
  const root = roots[name.replace('parentbased_', '') as keyof typeof roots](ratio);
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}
