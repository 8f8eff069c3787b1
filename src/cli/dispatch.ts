import { setImmediate as immediate } from 'node:timers/promises';
import type { Environment } from '../common/setting.ts';
import { version } from '../common/version.ts';
import { readArguments } from './arguments.ts';
import { type CommandDefinition, programName, programOptions, refuse } from './command.ts';
import { commandHelp, programHelp } from './help.ts';
import { createStop } from './stop.ts';
import { suggestion } from './suggestion.ts';
import type { Terminal } from './terminal/output.ts';

/** The parts of a process that the command line uses. */
export interface CommandProcess extends Terminal {
  readonly environment: Environment;
  /** Replaces SIGINT and SIGTERM. */
  readonly stopSignal?: () => AbortSignal;
}

/**
 * Runs the command that `args` begins with.
 *
 * @returns the exit code: 0 ended well, 1 failed, 2 wrong arguments or variables; `submit` gives that of kubectl
 */
export async function dispatch(
  commands: readonly CommandDefinition[],
  args: readonly string[],
  process: CommandProcess,
): Promise<number> {
  const stop = createStop(process.stdout, process.stopSignal);
  try {
    const exitCode = await run(commands, args, { ...process, stopSignal: stop.signal });
    // The process ends soon after this function, whatever is still to be written.
    await stop.flushed();
    // Errors of the last writes are emitted in the next turn of the event loop.
    await immediate();
    const reason = stop.outputError();
    if (reason === undefined) return exitCode;
    process.stderr.write(`${programName}: cannot write to standard output: ${reason}\n`);
    return 1;
  } finally {
    stop.release();
  }
}

async function run(
  commands: readonly CommandDefinition[],
  [first, ...rest]: readonly string[],
  process: Required<CommandProcess>,
): Promise<number> {
  const { stdout, stderr } = process;
  if (first === undefined || first === '--help' || first === '-h') {
    stdout.write(programHelp(commands));
    return 0;
  }
  if (first === '--version' || first === '-V') {
    stdout.write(`${version}\n`);
    return 0;
  }
  const command = commands.find(({ name }) => name === first);
  if (command === undefined) {
    stderr.write(`${programName}: ${unknownCommand(commands, first)}\nSee ${programName} --help.\n`);
    return 2;
  }
  const context = { ...process, commands, command, args: readArguments(command, rest) };
  if (context.args.options.help && command.name !== 'help') {
    stdout.write(commandHelp(command));
    return 0;
  }
  if (command.load === undefined) return refuse(context, context.args.problems);
  return (await command.load())(context);
}

/** Why a first argument cannot be used. */
export function unknownCommand(commands: readonly CommandDefinition[], written: string): string {
  if (!written.startsWith('-'))
    return `unknown command ${JSON.stringify(written)}.${suggestion(
      written,
      commands.map(({ name }) => name),
    )}`;
  const options = programOptions.map(({ name }) => `--${name}`);
  return `unknown option ${written}.${suggestion(written, options)}`;
}
