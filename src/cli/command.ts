import type { Environment, Setting, Settings } from '../common/setting.ts';
import type { Terminal } from './terminal/output.ts';

/**
 * What a command is. Its row in the table of commands is all that `--help`, the reader of arguments, completion and
 * the generated reference need.
 */
export interface CommandDefinition {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What follows the command's name. */
  readonly usage: string;
  /** What it does, for the command's own help. */
  readonly description: string;
  readonly options: readonly OptionDefinition[];
  /** The one argument that is not an option. */
  readonly positional?: PositionalDefinition;
  /** Environment variables it reads. */
  readonly settings?: Settings;
  /** Another command whose environment variables it reads as well. */
  readonly readsVariablesOf?: string;
  /** Loads its code. Only `run` has none: main.ts starts it without the command line. */
  readonly load?: () => Promise<Command>;
}

export interface OptionDefinition {
  /** Long name, without dashes. */
  readonly name: string;
  readonly short?: string;
  /** Placeholder of the value; an option without one, and without choices, is a switch. */
  readonly argument?: string;
  /** The values it accepts. */
  readonly choices?: readonly string[];
  /** Checks a value that is not one of a few choices. */
  readonly parse?: Setting<unknown>['parse'];
  /** A second one is a problem; of other options, the last one counts. */
  readonly once?: true;
  readonly description: string;
}

export interface PositionalDefinition {
  readonly name: string;
  readonly choices?: readonly string[];
  readonly required?: true;
  /** It may be given several times. */
  readonly repeated?: true;
}

/** What was written after a command's name. */
export interface Arguments {
  /** A switch is `true`. */
  readonly options: Readonly<Record<string, string | true>>;
  readonly positionals: readonly string[];
  /** Everything that is wrong, as sentences. */
  readonly problems: readonly string[];
}

/** Runs a command. Resolves to the exit code: 0 ended well, 1 failed, 2 wrong arguments or variables. */
export type Command = (context: CommandContext) => Promise<number>;

/** Everything a command may use of the process it runs in. */
export interface CommandContext extends Terminal {
  readonly command: CommandDefinition;
  /** The table it is a row of. */
  readonly commands: readonly CommandDefinition[];
  readonly args: Arguments;
  readonly environment: Environment;
  /**
   * From the first call on, SIGINT and SIGTERM abort the signal instead of ending the process. So does the end of
   * standard output's reader.
   */
  readonly stopSignal: () => AbortSignal;
}

export const programName = 'ml-metrics-bridge';

export const programSummary =
  "Sidecar that turns a training job's JSON file into OpenTelemetry metrics, sent over OTLP/gRPC.";

/** Accepted by every command. */
export const helpOption: OptionDefinition = { name: 'help', short: 'h', description: 'Show this help' };

export const programOptions: readonly OptionDefinition[] = [
  helpOption,
  { name: 'version', short: 'V', description: 'Show the version' },
];

/** In characters. Of a longer list of choices, help shows the placeholder. */
const longestList = 30;

/** Placeholder or choices of an option's value; undefined for a switch. */
export function placeholderOf({ argument, choices }: OptionDefinition): string | undefined {
  const list = choices?.join('|');
  return list === undefined || (argument !== undefined && list.length > longestList) ? argument : list;
}

/** Writes messages to standard error, each with the name of the program and the command before it. */
export function printErrors(
  { command, stderr }: Pick<CommandContext, 'command' | 'stderr'>,
  messages: readonly string[],
): void {
  for (const message of messages) stderr.write(`${programName} ${command.name}: ${message}\n`);
}

/** Reports invalid arguments or variables. Returns the exit code for them, 2. */
export function refuse(
  context: Pick<CommandContext, 'command' | 'stderr'>,
  problems: readonly string[],
): number {
  printErrors(context, problems);
  context.stderr.write(`See ${programName} ${context.command.name} --help.\n`);
  return 2;
}
