import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBridge } from '../../bridge/bridge.ts';
import { type CommandContext, refuse } from '../../cli/command.ts';
import type { Output } from '../../cli/terminal/output.ts';
import { systemClock } from '../../common/clock.ts';
import { createLogger } from '../../common/logger.ts';
import { version } from '../../common/version.ts';
import { type Config, readConfig } from '../../config/bridge.ts';
import { readSimulationSettings } from '../simulate/settings.ts';
import { simulate, type Write } from '../simulate/simulate.ts';
import { type Receiver, startReceiver } from './receiver/receiver.ts';
import { createDemoView } from './terminal.ts';

/** A run of about 20 s, the same every time. */
const job = {
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

/** Runs a simulated training job, the bridge and a receiver in one process. Exit code 0 if all values arrived. */
export async function demo({ output, signal, overrides }: DemoOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'ml-metrics-bridge-'));
  const environment = { ...job, ...pace, METRICS_FILE_PATH: join(folder, 'current.json'), ...overrides };
  const view = createDemoView({ output, isTty: output.isTTY ?? false });
  const receiver = await startReceiver({ keep: 4, onRequest: view.update });
  try {
    const stop = new AbortController();
    const bridge = runBridge({
      config: demoConfig({ ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint }),
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
    const summary = await bridge;
    const arrived = last !== undefined && hasArrived(receiver, last);
    view.finish(summarize(last, arrived, summary.snapshots, summary.exports.success ?? 0));
    return arrived ? 0 : 1;
  } finally {
    await receiver.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** `demo`; Ctrl-C ends the job early. */
export async function demoCommand(context: CommandContext): Promise<number> {
  const { args, stdout, stopSignal } = context;
  if (args.problems.length > 0) return refuse(context, args.problems);
  return demo({ output: stdout, signal: stopSignal() });
}

function demoConfig(environment: Readonly<Record<string, string>>): Config {
  const reading = readConfig(environment);
  if (reading.status === 'invalid')
    throw new Error(reading.problems.map(({ message }) => message).join('; '));
  return reading.config;
}

function demoSimulation(environment: Readonly<Record<string, string>>) {
  const reading = readSimulationSettings(environment);
  if (reading.status === 'invalid')
    throw new Error(reading.problems.map(({ message }) => message).join('; '));
  return reading.settings;
}

function hasArrived(receiver: Receiver, { step }: Write): boolean {
  const loss = receiver.points('ml.training.loss').at(-1)?.value;
  const batches = receiver.points('ml.training.batch_number').at(-1)?.value;
  return loss === step.trainingLoss && batches === step.globalStep;
}

function summarize(
  last: Write | undefined,
  arrived: boolean,
  snapshots: number,
  exports: number,
): readonly string[] {
  if (last === undefined) return ['Stopped before the job wrote its file.'];
  const { epoch, batchNumber, trainingLoss, globalStep } = last.step;
  return [
    `The job's last write was epoch ${epoch}, batch ${batchNumber}: training_loss ${trainingLoss}.`,
    'The bridge was stopped: it read the file once more and flushed.',
    arrived
      ? `The receiver's last values: ml_training_loss ${trainingLoss}, batch ${globalStep} of the run. Nothing was lost.`
      : 'The receiver did not receive these values.',
    `${snapshots} snapshots in ${exports} exports. For your own job: README.md, "Add it to your own job".`,
  ];
}
