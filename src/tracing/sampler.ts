import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import { createRemoteSampler } from './remote-sampler.ts';
import type { SamplerConfig } from './sampler-config.ts';

/**
 * Creates the sampler of OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG, which the SDK no longer reads since 3.0.
 *
 * @param serviceName the service whose strategy a remote sampler requests
 */
export function createSampler(
  choice: SamplerConfig,
  serviceName: string,
  log: (message: string) => void,
): Sampler {
  const root = rootOf(choice, serviceName, log);
  return choice.parentBased ? new ParentBasedSampler({ root }) : root;
}

function rootOf(choice: SamplerConfig, serviceName: string, log: (message: string) => void): Sampler {
  switch (choice.root) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(choice.ratio);
    case 'jaeger_remote':
      return createRemoteSampler(choice.remote, serviceName, log);
  }
}
