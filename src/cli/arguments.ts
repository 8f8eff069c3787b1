import { parseArgs } from 'node:util';
import {
  type Arguments,
  type CommandDefinition,
  helpOption,
  type OptionDefinition,
  placeholderOf,
} from './command.ts';
import { suggestion } from './suggestion.ts';

/** The value of an option; undefined if it is not given. */
export function optionValue({ options }: Pick<Arguments, 'options'>, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** Reads the arguments of a command by its row in the table, and collects every problem. */
export function readArguments(command: CommandDefinition, args: readonly string[]): Arguments {
  const known = [...command.options, helpOption];
  const options: Record<string, string | true> = {};
  const positionals: string[] = [];
  const problems: string[] = [];
  let mayBeValue = false;
  for (const token of tokensOf(known, args)) {
    // After an unknown option, it may be the value: it must not be a second error for one mistake.
    if (token.kind === 'positional' && !mayBeValue) positionals.push(token.value);
    mayBeValue = false;
    if (token.kind !== 'option') continue;
    const option = known.find(({ name }) => name === token.name);
    mayBeValue = option === undefined && token.value === undefined;
    const problem = option
      ? (repetition(option, options) ?? valueProblem(option, token.value))
      : unknownOption(command, token.rawName);
    if (problem === undefined) options[token.name] = token.value ?? true;
    else problems.push(problem);
  }
  return { options, positionals, problems: [...problems, ...positionalProblems(command, positionals)] };
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];

function tokensOf(known: readonly OptionDefinition[], args: readonly string[]): readonly Token[] {
  // Strict parsing would throw at the first problem.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(known.map((option) => [option.name, parserOption(option)])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  // Parsing that is not strict may take an option as the value of the one before it. The rest is then parsed again.
  const end = tokens.findIndex(
    (it) => it.kind === 'option' && it.inlineValue === false && /^-./.test(it.value),
  );
  const last = tokens[end];
  if (last?.kind !== 'option') return tokens;
  const { kind, name, rawName, index } = last;
  const withoutValue: Token = { kind, name, rawName, index, value: undefined, inlineValue: undefined };
  return [...tokens.slice(0, end), withoutValue, ...tokensOf(known, args.slice(index + 1))];
}

const parserOption = (option: OptionDefinition) => ({
  type: placeholderOf(option) === undefined ? ('boolean' as const) : ('string' as const),
  ...(option.short === undefined ? {} : { short: option.short }),
});

function repetition({ name, argument, once }: OptionDefinition, given: object): string | undefined {
  return once && Object.hasOwn(given, name)
    ? `--${name} is given twice: expected one ${argument}.`
    : undefined;
}

function valueProblem({ name, argument, choices, parse }: OptionDefinition, value?: string) {
  const expected = choices ? anyOf(choices) : argument;
  if (expected === undefined) return value === undefined ? undefined : `--${name} takes no value.`;
  if (value === undefined || value === '') return `--${name} needs a value: ${expected}.`;
  if (choices !== undefined) return choiceProblem(`--${name}`, choices, value);
  const parsed = parse?.(value, `--${name}`);
  return parsed?.status === 'invalid'
    ? `--${name} is ${JSON.stringify(value)}, expected ${parsed.expected}.`
    : undefined;
}

function choiceProblem(what: string, choices: readonly string[], value: string): string | undefined {
  if (choices.includes(value)) return undefined;
  return `${what} is ${JSON.stringify(value)}, expected ${anyOf(choices)}.${suggestion(value, choices)}`;
}

/** `a, b or c` */
const anyOf = (choices: readonly string[]) =>
  new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(choices);

function unknownOption({ options }: CommandDefinition, written: string): string {
  const candidates = [...options, helpOption].map((option) => `--${option.name}`);
  return `unknown option ${written}.${suggestion(written, candidates)}`;
}

function positionalProblems(
  { positional }: CommandDefinition,
  positionals: readonly string[],
): readonly string[] {
  const quoted = (values: readonly string[]) => values.map((it) => JSON.stringify(it)).join(', ');
  if (positional === undefined)
    return positionals.length === 0 ? [] : [`unexpected argument ${quoted(positionals)}.`];
  const { name: placeholder, choices, required, repeated } = positional;
  const [first, ...others] = positionals;
  if (first === undefined)
    return required ? [`${placeholder} is missing: ${choices ? anyOf(choices) : placeholder}.`] : [];
  const wrong = choices === undefined ? undefined : choiceProblem(placeholder, choices, first);
  return [
    ...(wrong === undefined ? [] : [wrong]),
    ...(repeated || others.length === 0
      ? []
      : [`expected one ${placeholder}, but was also given ${quoted(others)}.`]),
  ];
}
