import { type CommandContext, refuse } from '../../cli/command.ts';
import type { Write } from '../simulate/simulate.ts';
import { type DemoOptions, runJob } from './job.ts';
import { type Receiver, startReceiver } from './receiver/receiver.ts';
import { createDemoView } from './terminal.ts';

/** Runs a simulated training job, the bridge and a receiver in one process. Exit code 0 if all values arrived. */
export async function demo({ output, signal, overrides }: DemoOptions): Promise<number> {
  const view = createDemoView({ output, isTty: output.isTTY ?? false });
  const receiver = await startReceiver({ keep: 4, onRequest: view.update });
  try {
    const variables = { ...overrides, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint };
    const { last, bridge } = await runJob({ variables, signal });
    const arrived = last !== undefined && hasArrived(receiver, last);
    view.finish(summarize(last, arrived, bridge.snapshots, bridge.exports.success ?? 0));
    return arrived ? 0 : 1;
  } finally {
    await receiver.stop();
  }
}

/** `demo`; Ctrl-C ends the job early. */
export async function demoCommand(context: CommandContext): Promise<number> {
  const { args, stdout, stopSignal } = context;
  if (args.problems.length > 0) return refuse(context, args.problems);
  const options = { output: stdout, signal: stopSignal() };
  if (!args.options.trace) return demo(options);
  const { demoTrace } = await import('./trace.ts');
  return demoTrace(options);
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
