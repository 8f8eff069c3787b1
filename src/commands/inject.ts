import { optionValue } from '../cli/arguments.ts';
import { type Arguments, type CommandContext, printErrors, refuse } from '../cli/command.ts';
import { inputFile, readInput } from '../cli/input.ts';
import { readEndpoint } from '../common/endpoint.ts';
import type { EditedManifest } from '../kubernetes/edit-resources.ts';
import { injectManifest, removeFromManifest } from '../kubernetes/inject.ts';
import {
  type InjectOptions,
  injectDefaults,
  type Mode,
  type RayNodes,
  readResources,
  readTraceContext,
} from '../kubernetes/options.ts';

/**
 * `inject [OPTIONS] [FILE]`: prints manifests with the bridge added to every pod. Prints nothing if any of them is
 * invalid.
 *
 * @returns the exit code: 0 printed, 1 the manifests cannot be read or edited, 2 wrong arguments
 */
export async function injectCommand(context: CommandContext): Promise<number> {
  const { args, stdin } = context;
  const { file, problems: inputProblems } = inputFile(args);
  const { options, warnings, problems: optionProblems } = readOptions(context);
  const problems = [...args.problems, ...inputProblems, ...optionProblems];
  if (problems.length > 0) return refuse(context, problems);

  const input = await readInput(file, stdin);
  if (input.status === 'unreadable') {
    printErrors(context, [`cannot read ${file}: ${input.reason}`]);
    return 1;
  }
  printErrors(context, warnings);
  const edited = args.options.remove ? removeFromManifest(input.text) : injectManifest(input.text, options);
  return printManifest(edited, context);
}

interface OptionsReading {
  readonly options: InjectOptions;
  readonly warnings: readonly string[];
  /** The options are used only if there are none. */
  readonly problems: readonly string[];
}

type Report = (problem: string) => void;

function readOptions({ args, environment }: CommandContext): OptionsReading {
  const problems: string[] = [];
  const report: Report = (problem) => problems.push(problem);
  const isOn = (name: string) => args.options[name] === true;
  const trace = isOn('trace') ? readTraceContext(environment) : undefined;
  if (trace?.status === 'invalid') report(`--trace: ${trace.reason}.`);
  reportConflicts(args, report);
  const { endpoint, warnings } = endpointOf(args, report);
  const options: InjectOptions = {
    mode: (optionValue(args, 'mode') as Mode | undefined) ?? injectDefaults.mode,
    image: imageOf(args, report),
    endpoint,
    container: optionValue(args, 'container'),
    volume: volumeOf(args, report),
    metricsPath: pathOf(args, 'metrics-path', report),
    format: optionValue(args, 'format'),
    rankFiles: pathOf(args, 'rank-files', report),
    trace: trace?.status === 'ok' ? trace.trace : undefined,
    trainJobStatus: isOn('trainjob-status'),
    replicatedJob: optionValue(args, 'replicated-job'),
    requests: resourcesOf(args, 'requests', report),
    limits: resourcesOf(args, 'limits', report),
    rayNodes: (optionValue(args, 'ray-nodes') as RayNodes | undefined) ?? injectDefaults.rayNodes,
    strict: isOn('strict'),
    asked: new Set(Object.keys(args.options) as (keyof InjectOptions)[]),
  };
  return { options, warnings, problems };
}

function reportConflicts(args: Arguments, report: Report): void {
  const { options } = args;
  if (options['trainjob-status'] && optionValue(args, 'mode') === 'container')
    report('--trainjob-status needs the bridge as a native sidecar, not --mode container.');
  if (options['replicated-job'] !== undefined && !options.trace && !options['trainjob-status'])
    report('--replicated-job needs --trace or --trainjob-status.');
}

/** The bridge would refuse the same values when the pod starts. */
function endpointOf(args: Arguments, report: Report) {
  const endpoint = optionValue(args, 'endpoint') ?? injectDefaults.endpoint;
  const reading = readEndpoint(endpoint, { insecure: undefined, certificates: false });
  if (reading.status === 'ok') return { endpoint, warnings: reading.endpoint.warnings };
  report(`--endpoint ${JSON.stringify(endpoint)} cannot be used: ${reading.reason}.`);
  return { endpoint, warnings: [] };
}

function imageOf(args: Arguments, report: Report): string {
  const image = optionValue(args, 'image') ?? injectDefaults.image;
  if (/\s/.test(image))
    report(`--image ${JSON.stringify(image)} is not an image reference: it contains a space.`);
  return image;
}

function volumeOf(args: Arguments, report: Report): string {
  const volume = optionValue(args, 'volume') ?? injectDefaults.volume;
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(volume))
    report(`--volume ${JSON.stringify(volume)} is not the name of a volume: a-z, 0-9 and -, at most 63.`);
  return volume;
}

function pathOf(args: Arguments, name: 'metrics-path' | 'rank-files', report: Report): string | undefined {
  const value = optionValue(args, name);
  if (value !== undefined && !/^\/(?!.*\$\()/.test(value))
    report(`--${name} ${JSON.stringify(value)} must be an absolute path that refers to no variable.`);
  return value;
}

function resourcesOf(args: Arguments, name: 'requests' | 'limits', report: Report) {
  const text = optionValue(args, name);
  const reading = text === undefined ? undefined : readResources(text);
  if (reading?.status === 'invalid') report(`--${name}: ${reading.reason}.`);
  return reading?.status === 'ok' ? reading.resources : injectDefaults[name];
}

function printManifest(injection: EditedManifest, context: CommandContext): number {
  if (injection.status === 'invalid') {
    printErrors(context, injection.problems);
    return 1;
  }
  printErrors(context, injection.notes);
  context.stdout.write(injection.text);
  return 0;
}
