import { readArguments } from '../cli/arguments.ts';
import { commandOf } from '../cli/command-table.ts';
import { namedSource, readSource, standardInput } from '../cli/source.ts';
import { readEndpoint } from '../common/endpoint.ts';
import type { Environment } from '../common/setting.ts';
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

export interface InjectTerminal {
  /** Takes the manifest; stdout by default. */
  readonly print?: (text: string) => void;
  /** Takes one line about what is wrong or worth knowing; stderr by default. */
  readonly printError?: (line: string) => void;
  /** Standard input, whole. */
  readonly readInput?: () => Promise<string>;
}

/**
 * `inject [OPTIONS] [FILE]`: manifests in, the same with the bridge in every pod out. Nothing is printed half-done.
 *
 * @returns the exit code: 0 printed, 1 the manifests cannot be read or edited, 2 wrong arguments
 */
export async function injectCommand(
  args: readonly string[],
  environment: Environment,
  terminal: InjectTerminal = {},
): Promise<number> {
  const {
    print = (text) => void process.stdout.write(text),
    printError: printLine = console.error,
    readInput = standardInput,
  } = terminal;
  // Its output goes into a pipe, so that its words stand among those of whatever reads it.
  const printError = (line: string) => printLine(`ml-metrics-bridge inject: ${line}`);
  const written = readArguments(commandOf('inject'), args);
  const { options } = written;
  const { file, problems: ofSource } = namedSource('inject', written);
  const problems = [...written.problems, ...ofSource];
  const value = (name: string) => (typeof options[name] === 'string' ? options[name] : undefined);
  const trace = options.trace ? readTraceContext(environment) : undefined;
  if (trace?.status === 'invalid') problems.push(`--trace: ${trace.reason}.`);
  const endpoint = value('endpoint') ?? injectDefaults.endpoint;
  // By the bridge's own rules, so that what it would refuse in the cluster is refused here.
  const reading = readEndpoint(endpoint, { insecure: undefined, certificates: false });
  if (reading.status === 'invalid')
    problems.push(`--endpoint ${JSON.stringify(endpoint)} cannot be used: ${reading.reason}.`);
  const image = value('image') ?? injectDefaults.image;
  if (/\s/.test(image))
    problems.push(`--image ${JSON.stringify(image)} is not an image reference: it contains a space.`);
  const resources = (name: 'requests' | 'limits') => {
    const text = value(name);
    const read = text === undefined ? undefined : readResources(text);
    if (read?.status === 'invalid') problems.push(`--${name}: ${read.reason}.`);
    return read?.status === 'ok' ? read.resources : injectDefaults[name];
  };
  const [requests, limits] = [resources('requests'), resources('limits')];
  if (problems.length > 0) {
    for (const problem of problems) printError(problem);
    return 2;
  }

  const input = await readSource(file, readInput);
  if (input.status === 'unreadable') {
    printError(`${file} cannot be read: ${input.reason}`);
    return 1;
  }
  if (reading.status === 'ok') for (const warning of reading.endpoint.warnings) printError(warning);
  const injection = options.remove
    ? removeFromManifest(input.text)
    : injectManifest(input.text, {
        mode: (value('mode') as Mode | undefined) ?? injectDefaults.mode,
        image,
        endpoint,
        container: value('container'),
        volume: value('volume') ?? injectDefaults.volume,
        trace: trace?.status === 'ok' ? trace.trace : undefined,
        requests,
        limits,
        rayNodes: (value('ray-nodes') as RayNodes | undefined) ?? injectDefaults.rayNodes,
        strict: options.strict === true,
        asked: new Set(Object.keys(options) as (keyof InjectOptions)[]),
      });
  return report(injection, print, printError);
}

function report(
  injection: EditedManifest,
  print: (text: string) => void,
  printError: (line: string) => void,
): number {
  if (injection.status === 'invalid') {
    for (const problem of injection.problems) printError(problem);
    return 1;
  }
  for (const note of injection.notes) printError(note);
  print(injection.text);
  return 0;
}
