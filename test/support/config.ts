import { type Config, readConfig } from '../../src/config/bridge.ts';

/** Most tests look at single exports. With EXPORT_MIN_INTERVAL=5 in their environment they use the default. */
export const exportMinInterval = process.env.EXPORT_MIN_INTERVAL ?? '0';

/** The configuration of an environment, which has to be right. */
export function configOf(environment: Readonly<Record<string, string>> = {}): Config {
  const reading = readConfig(environment);
  if (reading.status === 'invalid') throw new Error(JSON.stringify(reading.problems));
  return reading.config;
}
