import { optionValue } from '../cli/arguments.ts';
import { type CommandContext, printErrors, refuse } from '../cli/command.ts';
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
  const { args, environment, stdin } = context;
  const { file, problems: inputProblems } = inputFile(args);
  const problems = [...args.problems, ...inputProblems];
  const trace = args.options.trace ? readTraceContext(environment) : undefined;
  if (trace?.status === 'invalid') problems.push(`--trace: ${trace.reason}.`);
  if (args.options['trainjob-status'] && optionValue(args, 'mode') === 'container')
    problems.push('--trainjob-status needs the bridge as a native sidecar, not --mode container.');
  const endpoint = optionValue(args, 'endpoint') ?? injectDefaults.endpoint;
  // The bridge would refuse the same values when the pod starts.
  const reading = readEndpoint(endpoint, { insecure: undefined, certificates: false });
  if (reading.status === 'invalid')
    problems.push(`--endpoint ${JSON.stringify(endpoint)} cannot be used: ${reading.reason}.`);
  const image = optionValue(args, 'image') ?? injectDefaults.image;
  if (/\s/.test(image))
    problems.push(`--image ${JSON.stringify(image)} is not an image reference: it contains a space.`);
  const path = (name: 'metrics-path' | 'rank-files') => {
    const value = optionValue(args, name);
    if (value !== undefined && !/^\/(?!.*\$\()/.test(value))
      problems.push(
        `--${name} ${JSON.stringify(value)} must be an absolute path that refers to no variable.`,
      );
    return value;
  };
  const [metricsPath, rankFiles] = [path('metrics-path'), path('rank-files')];
  const resources = (name: 'requests' | 'limits') => {
    const text = optionValue(args, name);
    const read = text === undefined ? undefined : readResources(text);
    if (read?.status === 'invalid') problems.push(`--${name}: ${read.reason}.`);
    return read?.status === 'ok' ? read.resources : injectDefaults[name];
  };
  const [requests, limits] = [resources('requests'), resources('limits')];
  if (problems.length > 0) return refuse(context, problems);

  const input = await readInput(file, stdin);
  if (input.status === 'unreadable') {
    printErrors(context, [`cannot read ${file}: ${input.reason}`]);
    return 1;
  }
  if (reading.status === 'ok') printErrors(context, reading.endpoint.warnings);
  const injection = args.options.remove
    ? removeFromManifest(input.text)
    : injectManifest(input.text, {
        mode: (optionValue(args, 'mode') as Mode | undefined) ?? injectDefaults.mode,
        image,
        endpoint,
        container: optionValue(args, 'container'),
        volume: optionValue(args, 'volume') ?? injectDefaults.volume,
        metricsPath,
        format: optionValue(args, 'format'),
        rankFiles,
        trace: trace?.status === 'ok' ? trace.trace : undefined,
        trainJobStatus: args.options['trainjob-status'] === true,
        requests,
        limits,
        rayNodes: (optionValue(args, 'ray-nodes') as RayNodes | undefined) ?? injectDefaults.rayNodes,
        strict: args.options.strict === true,
        asked: new Set(Object.keys(args.options) as (keyof InjectOptions)[]),
      });
  return printManifest(injection, context);
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
