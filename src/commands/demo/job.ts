import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BridgeSummary, runBridge } from '../../bridge/bridge.ts';
import type { Output } from '../../cli/terminal/output.ts';
import { systemClock } from '../../common/clock.ts';
import { createLogger } from '../../common/logger.ts';
import { version } from '../../common/version.ts';
import { type Config, readConfig } from '../../config/bridge.ts';
import { readSimulationSettings } from '../simulate/settings.ts';
import { simulate, type Write } from '../simulate/simulate.ts';

/** A run of about 20 s, the same every time. */
export const job = {
  JOB_ID: 'demo-job',
  WRITE_INTERVAL: '0.1',
  TOTAL_EPOCHS: '5',
  BATCHES_PER_EPOCH: '40',
  SEED: '1',
};
const pace = {
  COLLECTION_INTERVAL: '0.05',
  EXPORT_MIN_INTERVAL: '0',
  OTEL_METRIC_EXPORT_INTERVAL: '1000',
};

export interface DemoOptions {
  readonly output: Output;
  /** Stops the job early; its last values are still exported. */
  readonly signal: AbortSignal;
  /** Override the demo's variables, for a shorter run. */
  readonly overrides?: Readonly<Record<string, string>>;
}

type Variables = Readonly<Record<string, string>>;

interface JobOptions {
  /** Of the bridge and of the simulated job; they override those of the demo. */
  readonly variables: Variables;
  /** Stops the job early; the bridge still reads its last values. */
  readonly signal: AbortSignal;
}

interface FinishedJob {
  /** The last write of the job; undefined if it was stopped before the first. */
  readonly last: Write | undefined;
  readonly bridge: BridgeSummary;
}

/** Runs a simulated training job and the bridge, with a file in a temporary folder, until both have ended. */
export async function runJob({ variables, signal }: JobOptions): Promise<FinishedJob> {
  const folder = await mkdtemp(join(tmpdir(), 'ml-metrics-bridge-'));
  const environment = { ...job, ...pace, METRICS_FILE_PATH: join(folder, 'current.json'), ...variables };
  try {
    const stop = new AbortController();
    const bridge = runBridge({
      config: demoConfig(environment),
      log: createLogger('critical'),
      clock: systemClock,
      signal: stop.signal,
      hostName: hostname(),
      version,
    });
    let last: Write | undefined;
    const onWrite = (write: Write) => {
      last = write;
    };
    await simulate(demoSimulation(environment), { signal, onWrite });
    // Stopped before its next poll is due, so that the bridge reads the last values in its final poll.
    stop.abort();
    return { bridge: await bridge, last };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function demoConfig(environment: Variables): Config {
  const reading = readConfig(environment);
  if (reading.status === 'invalid')
    throw new Error(reading.problems.map(({ message }) => message).join('; '));
  return reading.config;
}

function demoSimulation(environment: Variables) {
  const reading = readSimulationSettings(environment);
  if (reading.status === 'invalid')
    throw new Error(reading.problems.map(({ message }) => message).join('; '));
  return reading.settings;
}
