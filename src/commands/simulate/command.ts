import { parseArgs } from 'node:util';
import type { Environment, Setting } from '../../common/setting.ts';
import { oneOf } from '../../common/setting-kinds.ts';
import { describeFault, faults, type SimulatedFault } from './faults.ts';
import { readSimulationSettings, type SimulationSettings, simulationSettings } from './settings.ts';
import { type Outcome, simulate, type Write } from './simulate.ts';

export interface SimulateTerminal {
  /** Ends the run when aborted; without one, SIGTERM and SIGINT do, and the handlers are removed again. */
  readonly signal?: AbortSignal;
  /** Takes one line of progress; stdout by default. */
  readonly print?: (line: string) => void;
  /** Takes one line about what is wrong; stderr by default. */
  readonly printError?: (line: string) => void;
}

/**
 * `simulate [--fault torn|nan|stall|crash] [--seed N]`: writes the metrics file as a training job would.
 *
 * @returns the exit code: 0 completed or stopped, 1 crashed as told or the file cannot be written, 2 wrong arguments
 *   or variables
 */
export async function simulateCommand(
  args: readonly string[],
  environment: Environment,
  terminal: SimulateTerminal = {},
): Promise<number> {
  const { print = console.log, printError = console.error } = terminal;
  const { fault, seed, problems } = readArguments(args);
  // --seed wins over SEED, even over one that is wrong.
  const reading = readSimulationSettings(
    seed === undefined ? environment : { ...environment, SEED: String(seed) },
  );
  const wrong = reading.status === 'invalid' ? reading.problems.map(({ message }) => message) : [];
  for (const message of [...problems, ...wrong]) printError(message);
  if (reading.status === 'invalid' || problems.length > 0) return 2;

  const { settings } = reading;
  print(`Simulating a training job. To repeat it: ${repeatable(settings, fault)}`);
  if (fault) print(`Fault ${fault}: ${describeFault(fault, settings)}`);
  const onWrite = ({ step }: Write) => {
    if (step.batchNumber === settings.batchesPerEpoch) {
      const { epoch, trainingLoss, validationLoss, accuracy } = step;
      print(
        `Epoch ${epoch}/${settings.totalEpochs}: loss ${trainingLoss}, validation loss ${validationLoss}, accuracy ${accuracy}`,
      );
    }
  };
  const run = (signal: AbortSignal) => simulate(settings, { fault, signal, onWrite });
  const outcome = await (terminal.signal ? run(terminal.signal) : untilSignalled(run));
  return report(outcome, print, printError);
}

function report(outcome: Outcome, print: (line: string) => void, printError: (line: string) => void): number {
  const { status, writes } = outcome;
  if (status === 'unwritable') printError(`After ${writes} writes: ${outcome.message}`);
  else print(`${status[0]?.toUpperCase()}${status.slice(1)} after ${writes} writes`);
  return status === 'completed' || status === 'stopped' ? 0 : 1;
}

interface Arguments {
  readonly fault: SimulatedFault | undefined;
  readonly seed: number | undefined;
  readonly problems: readonly string[];
}

function readArguments(args: readonly string[]): Arguments {
  // Not strict, because strict parsing throws at the first problem and a person wants them all.
  const { tokens } = parseArgs({
    args: [...args],
    options: { fault: { type: 'string' }, seed: { type: 'string' } },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const problems: string[] = [];
  const check = <T>(name: string, written: string | undefined, parse: Setting<T>['parse']) => {
    const parsed = parse(written ?? '', name);
    if (parsed.status === 'ok') return parsed.value;
    const shown = written === undefined ? 'has no value' : `is ${JSON.stringify(written)}`;
    problems.push(`${name} ${shown}: expected ${parsed.expected}`);
    return undefined;
  };
  let fault: SimulatedFault | undefined;
  let seed: number | undefined;
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`unexpected argument ${JSON.stringify(token.value)}`);
    if (token.kind !== 'option') continue;
    if (token.name === 'fault') fault = check('--fault', token.value, oneOf(faults));
    else if (token.name === 'seed') seed = check('--seed', token.value, simulationSettings.seed.parse);
    else problems.push(`unknown option ${token.rawName}: expected --fault or --seed`);
  }
  return { fault, seed, problems };
}

/** The run as a command line for a shell: the same values at the same pace, drawn seed included. */
function repeatable(settings: SimulationSettings, fault: SimulatedFault | undefined): string {
  const values = { ...settings, writeIntervalMs: settings.writeIntervalMs / 1000 };
  const variables = Object.entries(simulationSettings).map(
    ([key, { variable }]) => `${variable}=${shellWord(String(values[key as keyof SimulationSettings]))}`,
  );
  return [...variables, 'node dist/main.cjs simulate', ...(fault ? ['--fault', fault] : [])].join(' ');
}

const shellWord = (value: string) =>
  /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;

async function untilSignalled<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on('SIGTERM', stop).on('SIGINT', stop);
  try {
    return await run(controller.signal);
  } finally {
    process.off('SIGTERM', stop).off('SIGINT', stop);
  }
}
