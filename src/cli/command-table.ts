import { faults } from '../commands/simulate/faults.ts';
import { simulationSettings } from '../commands/simulate/settings.ts';
import { submitOptions, submitSettings } from '../commands/submit/options.ts';
import type { Settings } from '../common/setting.ts';
import { bridgeSettings } from '../config/bridge.ts';
import { injectOptions } from '../kubernetes/options.ts';

/**
 * The command line as a table. `--help`, the reading of arguments, the completion of shells and the README all come
 * from these rows.
 */

export interface OptionDefinition {
  /** Long name, without dashes. */
  readonly name: string;
  readonly short?: string;
  /** Placeholder of the value; an option without one, and without choices, is a switch. */
  readonly argument?: string;
  /** The only values there are. */
  readonly choices?: readonly string[];
  readonly description: string;
}

export interface CommandDefinition {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What follows the command's name. */
  readonly usage: string;
  /** What it does, for the command's own help. */
  readonly description: string;
  readonly options: readonly OptionDefinition[];
  /** The one argument that is no option. */
  readonly positional?: { readonly name: string; readonly choices?: readonly string[] };
  /** Environment variables it reads. */
  readonly settings?: Settings;
  /** Reads the variables of another command, which are too many to say twice. */
  readonly readsVariablesOf?: string;
}

export const programName = 'ml-metrics-bridge';

export const programSummary =
  "Sidecar that turns a training job's JSON file into OpenTelemetry metrics, sent over OTLP/gRPC.";

export const shells = ['bash', 'zsh', 'fish'] as const;

/** Understood by every command. */
export const helpOption: OptionDefinition = { name: 'help', short: 'h', description: 'Show this help' };

export const programOptions: readonly OptionDefinition[] = [
  helpOption,
  { name: 'version', short: 'V', description: 'Show the version' },
];

export const commands = [
  {
    name: 'run',
    summary: 'Run the bridge; this is what happens without a command',
    usage: '',
    description:
      'Reads the metrics file whenever it changes and sends what it says to the Collector, until SIGTERM or SIGINT. All of it is configured by environment variables.',
    options: [],
    settings: bridgeSettings,
  },
  {
    name: 'check',
    summary: 'Say what the bridge makes of a metrics file, field by field',
    usage: '[OPTIONS] [FILE]',
    description:
      'Reads a metrics file as the bridge does and says what becomes of each field: its name in OpenTelemetry and its series in Prometheus, or why it is left out and what to write instead. Without FILE it is METRICS_FILE_PATH. The exit code is 0 where the file can be used and 1 where not.',
    options: [
      { name: 'watch', short: 'w', description: 'Go on, and show what each write changes; Ctrl-C ends it' },
      { name: 'strict', description: 'Exit code 1 also where the bridge leaves out any field' },
      {
        name: 'uid',
        argument: 'N',
        description: 'User the bridge runs as, for whether it may read the file; 65532, as in the image',
      },
      {
        name: 'gid',
        argument: 'N[,N]',
        description: "Groups the bridge runs with, such as a pod's fsGroup; the same as its user",
      },
      {
        name: 'collector',
        description:
          'Try the Collector, step by step: name, connection, TLS, and its answer to an empty export',
      },
      {
        name: 'output',
        short: 'o',
        choices: ['text', 'json'],
        description: 'text for people, json for scripts; with --watch, json is one line a write',
      },
      { name: 'schema', description: 'Print the JSON Schema of the file, and nothing else' },
      {
        name: 'print-config',
        description: 'Print the configuration in effect and where each value comes from, and nothing else',
      },
    ],
    positional: { name: 'FILE' },
    readsVariablesOf: 'run',
  },
  {
    name: 'demo',
    summary: 'Watch a simulated job, the bridge and a receiver in this terminal',
    usage: '',
    description:
      'Runs a simulated training job, the bridge and an OTLP receiver in one process, for about 20 seconds. Needs nothing else and leaves nothing behind.',
    options: [],
  },
  {
    name: 'simulate',
    summary: 'Write the metrics file as a training job would',
    usage: '[OPTIONS]',
    description: 'Writes the metrics file batch by batch, with the curves of a plausible training run.',
    options: [
      {
        name: 'fault',
        choices: faults,
        description: 'What goes wrong in the middle of the run',
      },
      { name: 'seed', argument: 'N', description: 'The same seed gives the same values; wins over SEED' },
    ],
    settings: simulationSettings,
  },
  {
    name: 'inject',
    summary: 'Add the bridge to a Kubernetes manifest',
    usage: '[OPTIONS] [FILE]',
    description:
      'Reads manifests from FILE or from standard input, adds the bridge to every pod in them, and prints them. Applied twice it changes nothing.',
    options: injectOptions,
    positional: { name: 'FILE' },
  },
  {
    name: 'submit',
    summary: 'Create a training job in the cluster, within a trace',
    usage: '[OPTIONS] [FILE]',
    description:
      'Creates the resources of FILE or standard input with kubectl, in a span trainer.submit_job whose context every pod gets in its environment and annotations. The parent is that of TRACEPARENT and TRACESTATE, where they are set. A Collector that is away does not keep the job from being created. The exit code is that of kubectl.',
    options: submitOptions,
    positional: { name: 'FILE' },
    settings: submitSettings,
  },
  {
    name: 'completion',
    summary: 'Print a script that completes commands and options in a shell',
    usage: 'bash|zsh|fish',
    description: `Prints a completion script. For this session of bash: source <(${programName} completion bash)`,
    options: [],
    positional: { name: 'SHELL', choices: shells },
  },
  {
    name: 'help',
    summary: 'Show this help, or that of a command',
    usage: '[COMMAND]',
    description: 'Shows the help of the program, or of a command.',
    options: [],
    positional: { name: 'COMMAND' },
  },
] as const satisfies readonly CommandDefinition[];

export type CommandName = (typeof commands)[number]['name'];

/** The row of a command that is known to be there. */
export function commandOf(name: CommandName): CommandDefinition {
  return commands.find((command) => command.name === name) as CommandDefinition;
}

export function findCommand(name: string): CommandDefinition | undefined {
  return commands.find((command) => command.name === name);
}

/** Placeholder or choices of an option's value; none of a switch. */
export function placeholderOf({ argument, choices }: OptionDefinition): string | undefined {
  return choices?.join('|') ?? argument;
}
