import { readArguments } from '../cli/arguments.ts';
import {
  type CommandDefinition,
  commands,
  findCommand,
  programName,
  programOptions,
} from '../cli/command-table.ts';
import { commandHelp, programHelp } from '../cli/help.ts';
import { suggestion } from '../cli/nearest.ts';
import { version } from '../common/version.ts';

export interface HelpTerminal {
  readonly print?: (text: string) => void;
  readonly printError?: (text: string) => void;
}

/**
 * All that is said about the command line itself: help, version, and why a command or its arguments cannot be
 * understood.
 *
 * @returns the exit code: 0 where it was asked for, 2 where something was wrong
 */
export async function helpCommand(args: readonly string[], terminal: HelpTerminal = {}): Promise<number> {
  const {
    print = (text) => void process.stdout.write(text),
    printError = (text) => void process.stderr.write(text),
  } = terminal;
  const refuse = (problems: readonly string[], about: string) => {
    printError(`${problems.map((problem) => `${programName}: ${problem}\n`).join('')}${tryHelp(about)}\n`);
    return 2;
  };
  const [first = 'help', ...rest] = args;
  if (first === '--version' || first === '-V') {
    print(`${version}\n`);
    return 0;
  }
  const asked = first === 'help' ? rest.find((it) => !isHelpOption(it)) : first;
  if (asked === undefined || isHelpOption(asked)) {
    print(programHelp());
    return 0;
  }
  const command = findCommand(asked);
  if (command === undefined) return refuse([unknownText(asked)], '');
  if (first === 'help' || rest.some(isHelpOption)) {
    print(commandHelp(command));
    return 0;
  }
  return refuse(readArguments(command, rest).problems, ` ${command.name}`);
}

const isHelpOption = (argument: string) => argument === '--help' || argument === '-h';

function unknownText(written: string): string {
  const all: readonly CommandDefinition[] = commands;
  if (written.startsWith('-')) {
    const options = programOptions.map(({ name }) => `--${name}`);
    return `there is no option ${JSON.stringify(written)}.${suggestion(written, options)}`;
  }
  const names = all.map(({ name }) => name);
  return `there is no command '${written}'.${suggestion(written, names)}`;
}

const tryHelp = (about: string) => `${programName}${about} --help shows what there is.`;
