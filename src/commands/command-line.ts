import { type CommandDefinition, programName } from '../cli/command.ts';
import { shells } from '../cli/completion.ts';
import { type CommandProcess, dispatch } from '../cli/dispatch.ts';
import { integer } from '../common/setting-kinds.ts';
import { bridgeSettings } from '../config/bridge.ts';
import { injectOptions } from '../kubernetes/options.ts';
import { groupIds, userId } from './check/access.ts';
import { replayOptions } from './replay/options.ts';
import { faults } from './simulate/faults.ts';
import { simulationSettings } from './simulate/settings.ts';
import { submitOptions, submitSettings } from './submit/options.ts';
import { writerLanguages } from './writer/languages.ts';

/** Every command. A further one is a row here and a file that `load` names. */
export const commands = [
  {
    name: 'run',
    summary: 'Run the bridge (the default)',
    usage: '',
    description:
      'Reads the metrics file whenever it changes and exports its values to the Collector, until SIGTERM or SIGINT. Environment variables configure it.',
    options: [],
    settings: bridgeSettings,
  },
  {
    name: 'check',
    summary: 'Validate a metrics file and show which metrics it produces',
    usage: '[OPTIONS] [FILE]',
    description:
      'Reads a metrics file as the bridge does and shows for each field the OpenTelemetry metric and the Prometheus series it produces, or why it is skipped and how to fix it. FILE defaults to METRICS_FILE_PATH. The exit code is 0 if the file is usable and 1 if it is not.',
    options: [
      {
        name: 'watch',
        short: 'w',
        description: 'Keep checking, and show what each write changes; stop with Ctrl-C',
      },
      { name: 'strict', description: 'Exit with 1 also if the bridge skips any field' },
      {
        name: 'uid',
        argument: 'N',
        parse: userId,
        description:
          'User ID the bridge runs as, to check file permissions [default: 65532, as in the image]',
      },
      {
        name: 'gid',
        argument: 'N[,N]',
        parse: groupIds,
        description: "Group IDs the bridge runs with, such as a pod's fsGroup [default: the user ID]",
      },
      {
        name: 'collector',
        description: 'Test the connection to the Collector in steps: DNS, TCP, TLS and an empty OTLP export',
      },
      {
        name: 'output',
        short: 'o',
        choices: ['text', 'json'],
        description: 'Output format [default: text]; with --watch, json is one line per write',
      },
      { name: 'schema', description: 'Print the JSON Schema of the file and exit' },
      {
        name: 'print-config',
        description: 'Print the effective configuration and the source of each value, and exit',
      },
    ],
    positional: { name: 'FILE' },
    readsVariablesOf: 'run',
    load: async () => (await import('./check/command.ts')).checkCommand,
  },
  {
    name: 'watch',
    summary: 'Show training runs in this terminal or in a browser',
    usage: '[OPTIONS] [FILE…]',
    description:
      'Reads metrics files as the bridge does and shows each run: its state, progress and time left, the curve of a metric, every number with its change, and what happened. Several files are shown beside each other, or one per row. It only reads the files. Keys: ←/→ choose the metric, ↑/↓ the file, q quits. If the output is not a terminal, a line is printed for each write. FILE is a metrics file, a log, or a file of one rank; by default METRICS_FILE_PATH and the files of RANK_FILES.',
    options: [
      {
        name: 'once',
        description: 'Print one frame and exit; the exit code is 1 if a file cannot be read',
      },
      {
        name: 'serve',
        description:
          'Show the runs on a web page, on this machine only. A number after it is the port of the page',
      },
      {
        name: 'port',
        argument: 'N',
        parse: integer(0, 65_535),
        description: 'The same as a number after --serve; 0 chooses a free port [default: 13135]',
      },
    ],
    positional: { name: 'FILE', repeated: true },
    readsVariablesOf: 'run',
    load: async () => (await import('./watch/command.ts')).watchCommand,
  },
  {
    name: 'demo',
    summary: 'Run a simulated job, the bridge and a receiver in this terminal',
    usage: '[OPTIONS]',
    description:
      'Runs a simulated training job, the bridge and an OTLP receiver in one process for about 20 seconds. It needs no other software and removes its files.',
    options: [
      {
        name: 'trace',
        description:
          'Show the trace instead of the metrics: the submission of the job, the run and its epochs',
      },
    ],
    load: async () => (await import('./demo/command.ts')).demoCommand,
  },
  {
    name: 'simulate',
    summary: 'Write a metrics file as a training job does',
    usage: '[OPTIONS]',
    description:
      'Writes the metrics file after each batch of a simulated training run, with plausible values.',
    options: [
      {
        name: 'fault',
        choices: faults,
        description: 'The failure to simulate, within the first 20 seconds of a run with default settings',
      },
      {
        name: 'seed',
        argument: 'N',
        parse: simulationSettings.seed.parse,
        description: 'Seed of the random values; overrides SEED',
      },
    ],
    settings: simulationSettings,
    load: async () => (await import('./simulate/command.ts')).simulateCommand,
  },
  {
    name: 'inject',
    summary: 'Add the bridge to a Kubernetes manifest',
    usage: '[OPTIONS] [FILE]',
    description:
      'Reads manifests from FILE or standard input, adds the bridge to every pod, and prints the result. Running it on its own output changes nothing.',
    options: injectOptions,
    positional: { name: 'FILE' },
    load: async () => (await import('./inject.ts')).injectCommand,
  },
  {
    name: 'submit',
    summary: 'Create a training job in Kubernetes and trace it',
    usage: '[OPTIONS] [FILE]',
    description:
      'Creates the resources in FILE or standard input with kubectl, inside a span trainer.submit_job. The trace context is added to the environment and annotations of every pod. TRACEPARENT and TRACESTATE set the parent span. The job is created even if the Collector is unreachable. The exit code is that of kubectl.',
    options: submitOptions,
    positional: { name: 'FILE' },
    settings: submitSettings,
    load: async () => (await import('./submit/command.ts')).submitCommand,
  },
  {
    name: 'writer',
    summary: 'Print code that writes the metrics file, to copy into a training program',
    usage: '[OPTIONS]',
    description:
      'Prints a source file with a function that replaces the metrics file atomically, with mode 0644. It needs only the standard library of its language. An error is reported once and never stops the training.',
    options: [
      {
        name: 'language',
        short: 'l',
        choices: writerLanguages,
        description: `Language of the code [default: ${writerLanguages[0]}]`,
      },
    ],
    load: async () => (await import('./writer/command.ts')).writerCommand,
  },
  {
    name: 'replay',
    summary: 'Send finished logs with their own times, or write them for promtool',
    usage: '[OPTIONS] FILE|FOLDER',
    description:
      'Reads a log of a training run that is over, or all logs in a folder, and sends every record to the Collector with the time at which it was written, or writes them as OpenMetrics text. The formats are those that the bridge follows. Each request waits until the Collector accepts it. Ctrl-C stops and says how to go on. The exit code is 0 if everything was accepted or written.',
    options: replayOptions,
    positional: { name: 'FILE', required: true },
    readsVariablesOf: 'run',
    load: async () => (await import('./replay/command.ts')).replayCommand,
  },
  {
    name: 'completion',
    summary: 'Print a shell completion script',
    usage: 'bash|zsh|fish',
    description: `Prints a completion script. To load it into the current bash session: source <(${programName} completion bash)`,
    options: [],
    positional: { name: 'SHELL', choices: shells, required: true },
    load: async () => (await import('./completion.ts')).completionCommand,
  },
  {
    name: 'help',
    summary: 'Show help for the program or a command',
    usage: '[COMMAND]',
    description: 'Shows help for the program or a command.',
    options: [],
    positional: { name: 'COMMAND' },
    load: async () => (await import('./help.ts')).helpCommand,
  },
] as const satisfies readonly CommandDefinition[];

/** Runs the command that `args` begins with. Resolves to the exit code. */
export const runCommandLine = (args: readonly string[], process: CommandProcess): Promise<number> =>
  dispatch(commands, args, process);
