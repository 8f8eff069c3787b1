import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { readArguments } from '../cli/arguments.ts';
import { type Injection, injectManifest, removeFromManifest } from '../kubernetes/inject.ts';
import { defaults, injectOptions, type Mode, readTraceContext } from '../kubernetes/options.ts';
import type { Environment } from '../settings.ts';

export interface InjectTerminal {
  /** Takes the manifest; stdout by default. */
  readonly print?: (text: string) => void;
  /** Takes one line about what is wrong or worth knowing; stderr by default. */
  readonly printError?: (line: string) => void;
  /** Standard input, whole. */
  readonly readInput?: () => Promise<string>;
}

const definition = {
  name: 'inject',
  summary: '',
  usage: '',
  description: '',
  options: injectOptions,
  positional: { name: 'FILE' },
} as const;

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
    printError = console.error,
    readInput = () => readAll(process.stdin),
  } = terminal;
  const { options, positionals, problems: wrong } = readArguments(definition, args);
  const problems = [...wrong];
  const value = (name: string) => (typeof options[name] === 'string' ? options[name] : undefined);
  const [positional] = positionals;
  const file = value('filename') ?? positional ?? '-';
  if (positional !== undefined && value('filename') !== undefined)
    problems.push(`inject takes one FILE, but was given ${file} and ${positional}.`);
  const trace = options.trace ? readTraceContext(environment) : undefined;
  if (trace?.status === 'invalid') problems.push(`--trace: ${trace.reason}.`);
  if (problems.length > 0) {
    for (const problem of problems) printError(problem);
    return 2;
  }

  const input = await readManifest(file, readInput);
  if (input.status === 'unreadable') {
    printError(`${file} cannot be read: ${input.reason}`);
    return 1;
  }
  const injection = options.remove
    ? removeFromManifest(input.text)
    : injectManifest(input.text, {
        mode: (value('mode') as Mode | undefined) ?? defaults.mode,
        image: value('image') ?? defaults.image,
        endpoint: value('endpoint') ?? defaults.endpoint,
        container: value('container'),
        volume: value('volume') ?? defaults.volume,
        trace: trace?.status === 'ok' ? trace.trace : undefined,
      });
  return report(injection, print, printError);
}

function report(
  injection: Injection,
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

type Input =
  | { readonly status: 'ok'; readonly text: string }
  | { readonly status: 'unreadable'; readonly reason: string };

async function readManifest(file: string, readInput: () => Promise<string>): Promise<Input> {
  try {
    return { status: 'ok', text: file === '-' ? await readInput() : await readFile(file, 'utf8') };
  } catch (error) {
    return { status: 'unreadable', reason: (error as Error).message };
  }
}
