import { type Config, readConfig } from '../../src/config/bridge.ts';

/** The configuration of an environment, which has to be right. */
export function configOf(environment: Readonly<Record<string, string>> = {}): Config {
  const reading = readConfig(environment);
  if (reading.status === 'invalid') throw new Error(JSON.stringify(reading.problems));
  return reading.config;
}
