import { parseArgs } from 'node:util';
import { type CommandDefinition, type OptionDefinition, placeholderOf } from './command-table.ts';
import { suggestion } from './nearest.ts';

/** What was written behind a command. A switch is `true`; of an option that is given twice the last counts. */
export interface Arguments {
  readonly options: Readonly<Record<string, string | true>>;
  readonly positionals: readonly string[];
  /** Everything that is wrong, in words; empty where nothing is. */
  readonly problems: readonly string[];
}

/** Reads the arguments of a command by its row of the table. All problems come at once. */
export function readArguments(command: CommandDefinition, args: readonly string[]): Arguments {
  // Not strict, because strict parsing throws at the first problem and a person wants them all.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(command.options.map((option) => [option.name, parserOption(option)])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const options: Record<string, string | true> = {};
  const positionals: string[] = [];
  const problems: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = command.options.find(({ name }) => name === token.name);
    // The parser takes what follows for the value, even where that is the next option.
    const isNext = token.inlineValue === false && /^-./.test(token.value);
    const problem = option ? wrongValue(option, isNext ? '' : token.value) : unknown(command, token.rawName);
    if (problem !== undefined) problems.push(problem);
    else options[token.name] = token.value ?? true;
  }
  return { options, positionals, problems: [...problems, ...tooMany(command, positionals)] };
}

const parserOption = (option: OptionDefinition) => ({
  type: placeholderOf(option) === undefined ? ('boolean' as const) : ('string' as const),
  ...(option.short === undefined ? {} : { short: option.short }),
});

function wrongValue(option: OptionDefinition, value?: string): string | undefined {
  const { name, choices } = option;
  const expected = choices?.join(' or ') ?? option.argument;
  if (expected === undefined) return value === undefined ? undefined : `--${name} takes no value.`;
  if (value === undefined || value === '') return `--${name} needs a value: ${expected}.`;
  if (choices === undefined || choices.includes(value)) return undefined;
  return `--${name} is ${JSON.stringify(value)}, expected ${expected}.${suggestion(value, choices)}`;
}

function unknown({ name, options }: CommandDefinition, written: string): string {
  const candidates = options.map((option) => `--${option.name}`);
  return `${name} has no option ${written}.${suggestion(written, candidates)}`;
}

function tooMany({ name, positional }: CommandDefinition, positionals: readonly string[]): readonly string[] {
  const allowed = positional === undefined ? 0 : 1;
  const extra = positionals.slice(allowed).map((it) => JSON.stringify(it));
  if (extra.length === 0) return [];
  return positional === undefined
    ? [`${name} takes no argument ${extra.join(', ')}.`]
    : [`${name} takes one ${positional.name}, but was also given ${extra.join(', ')}.`];
}
