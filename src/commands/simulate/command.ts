import { optionValue } from '../../cli/arguments.ts';
import { type CommandContext, printErrors, refuse } from '../../cli/command.ts';
import type { Environment } from '../../common/setting.ts';
import { describeFault, type SimulatedFault } from './faults.ts';
import { readSimulationSettings, type SimulationSettings, simulationSettings } from './settings.ts';
import { type Outcome, simulate, type Write } from './simulate.ts';

/**
 * `simulate [--fault torn|nan|stall|crash] [--seed N]`: writes the metrics file as a training job does.
 *
 * @returns the exit code: 0 completed or stopped, 1 crashed as told or the file cannot be written, 2 wrong arguments
 *   or variables
 */
export async function simulateCommand(context: CommandContext): Promise<number> {
  const { args, stdout, stopSignal } = context;
  const print = (line: string) => void stdout.write(`${line}\n`);
  const fault = optionValue(args, 'fault') as SimulatedFault | undefined;
  const reading = readSimulationSettings(withSeed(context.environment, optionValue(args, 'seed')));
  const wrong = reading.status === 'invalid' ? reading.problems.map(({ message }) => message) : [];
  const problems = [...args.problems, ...wrong];
  if (reading.status === 'invalid' || problems.length > 0) return refuse(context, problems);

  const { settings } = reading;
  print(`Simulating a training job that writes ${settings.metricsFilePath}`);
  print(`To repeat it: ${repeatable(settings, fault)}`);
  if (fault) print(`Fault ${fault}: ${describeFault(fault, settings)}`);
  const onWrite = ({ step }: Write) => {
    if (step.batchNumber === settings.batchesPerEpoch) {
      const { epoch, trainingLoss, validationLoss, accuracy } = step;
      print(
        `Epoch ${epoch}/${settings.totalEpochs}: loss ${trainingLoss}, validation loss ${validationLoss}, accuracy ${accuracy}`,
      );
    }
  };
  return report(await simulate(settings, { fault, signal: stopSignal(), onWrite }), context);
}

/** The option overrides the variable, even one that is wrong. */
const withSeed = (environment: Environment, seed: string | undefined): Environment =>
  seed === undefined ? environment : { ...environment, SEED: seed };

function report(outcome: Outcome, context: CommandContext): number {
  const { status, writes } = outcome;
  if (status === 'unwritable') printErrors(context, [`after ${writes} writes: ${outcome.message}`]);
  else context.stdout.write(`${status[0]?.toUpperCase()}${status.slice(1)} after ${writes} writes\n`);
  return status === 'completed' || status === 'stopped' ? 0 : 1;
}

/** A shell command that repeats the run with the same values and pace. */
function repeatable(settings: SimulationSettings, fault: SimulatedFault | undefined): string {
  const values = { ...settings, writeIntervalMs: settings.writeIntervalMs / 1000 };
  const variables = Object.entries(simulationSettings).map(
    ([key, { variable }]) => `${variable}=${shellWord(String(values[key as keyof SimulationSettings]))}`,
  );
  return [...variables, 'node dist/main.cjs simulate', ...(fault ? ['--fault', fault] : [])].join(' ');
}

const shellWord = (value: string) =>
  /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
