import { setTimeout as delay } from 'node:timers/promises';
import { fileContent } from './content.ts';
import { isTorn, lastStepBeforeFault, type SimulatedFault, tornPauseMs, withFault } from './faults.ts';
import type { SimulationSettings } from './settings.ts';
import { type TrainingStep, trainingSteps } from './steps.ts';
import { replaceFile, type Unwritable, writeTorn } from './write.ts';

/** How a simulated run ended. `writes` counts the writes that succeeded. */
export type Outcome = (
  | { readonly status: 'completed' }
  | { readonly status: 'crashed' }
  | { readonly status: 'stopped' }
  | Unwritable
) & { readonly writes: number };

/** One completed write. */
export interface Write {
  readonly step: TrainingStep;
  readonly content: string;
  readonly torn: boolean;
}

/** Resolves after `ms` milliseconds, or at once when the signal is aborted; never rejects. */
export type Sleep = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

export interface SimulationOptions {
  readonly fault?: SimulatedFault | undefined;
  /** Ends the run with `stopped` when it aborts. Without a signal a stalled run never ends. */
  readonly signal?: AbortSignal | undefined;
  readonly onWrite?: (write: Write) => void;
  readonly sleep?: Sleep;
  /** Milliseconds since 1970, with fractions. */
  readonly now?: () => number;
}

/**
 * Simulates a training job: writes the file after each batch, one every `writeIntervalMs`, until the run is over, is
 * stopped, or reaches its fault. The values depend only on the seed, the timestamps on the clock.
 *
 * @returns how it ended; a file that cannot be written ends it with `unwritable`
 */
export async function simulate(
  settings: SimulationSettings,
  options: SimulationOptions = {},
): Promise<Outcome> {
  const { fault, signal, onWrite, sleep = interruptibleDelay, now = clock } = options;
  const startTimeMs = now();
  const totalSteps = settings.totalEpochs * settings.batchesPerEpoch;
  const stopsWriting = fault === 'stall' || fault === 'crash';
  let writes = 0;
  for (const planned of trainingSteps(settings)) {
    if (writes > 0) await sleep(settings.writeIntervalMs, signal);
    if (signal?.aborted) break;
    if (stopsWriting && planned.globalStep > lastStepBeforeFault(settings)) {
      if (fault === 'crash') return { status: 'crashed', writes };
      await abortOf(signal);
      break;
    }
    const step = withFault(planned, fault, settings);
    const status = step.globalStep === totalSteps ? 'completed' : 'running';
    const content = fileContent({ step, status, startTimeMs, timeMs: now() }, settings);
    const torn = isTorn(fault, step);
    const between = () => sleep(tornPauseMs(settings.writeIntervalMs), signal);
    const result = torn
      ? await writeTorn(settings.metricsFilePath, content, between)
      : await replaceFile(settings.metricsFilePath, content);
    if (result.status === 'unwritable') return { ...result, writes };
    writes++;
    onWrite?.({ step, content, torn });
    if (status === 'completed') return { status, writes };
  }
  return { status: 'stopped', writes };
}

// Date.now() has no microseconds.
const clock = () => performance.timeOrigin + performance.now();

async function interruptibleDelay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal && { signal }).catch(() => {});
}

/** Keeps the process alive with a timer: Node would exit if only a promise were pending. */
async function abortOf(signal: AbortSignal | undefined): Promise<void> {
  while (!signal?.aborted) await interruptibleDelay(60_000, signal);
}
