import type { Setting } from '../common/setting.ts';
import {
  type CommandDefinition,
  helpOption,
  type OptionDefinition,
  placeholderOf,
  programName,
  programOptions,
  programSummary,
} from './command.ts';
import { twoColumns, wrap, wrapIndented } from './wrap.ts';

const columns = 80;

/** What `--help` prints. */
export function programHelp(commands: readonly CommandDefinition[]): string {
  return joined([
    wrap(programSummary, columns),
    [`Usage: ${programName} [COMMAND] [OPTIONS]`],
    [
      'Commands:',
      ...twoColumns(
        commands.map(({ name, summary }) => [name, summary]),
        columns,
      ),
    ],
    optionsPart(programOptions),
    wrap(`${programName} COMMAND --help shows a command's own options and environment variables.`, columns),
    ['Exit codes: 0 ended well, 1 failed, 2 wrong arguments or configuration.'],
  ]);
}

/** What `COMMAND --help` prints. */
export function commandHelp(command: CommandDefinition): string {
  return joined([
    [usageLine(command)],
    wrap(command.description, columns),
    optionsPart([...command.options, helpOption]),
    environmentPart(command),
  ]);
}

export function usageLine({ name, usage }: CommandDefinition): string {
  return `Usage: ${programName} ${name === 'run' ? '[run]' : name}${usage === '' ? '' : ` ${usage}`}`;
}

const joined = (parts: readonly (readonly string[])[]) =>
  `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;

function optionsPart(options: readonly OptionDefinition[]): readonly string[] {
  return [
    'Options:',
    ...twoColumns(
      options.map((it) => [optionText(it), it.description]),
      columns,
    ),
  ];
}

export function optionText(option: OptionDefinition): string {
  const { name, short } = option;
  const value = placeholderOf(option);
  const long = `--${name}${value === undefined ? '' : ` ${value}`}`;
  return short === undefined ? `    ${long}` : `-${short}, ${long}`;
}

function environmentPart({ settings, readsVariablesOf }: CommandDefinition): readonly string[] {
  if (readsVariablesOf !== undefined)
    return [`Environment: the variables of ${programName} ${readsVariablesOf}, which its --help lists.`];
  if (settings === undefined) return [];
  return ['Environment:', ...Object.values(settings).flatMap(settingLines)];
}

function settingLines({
  variable,
  fallbacks,
  defaultText,
  description,
}: Setting<unknown>): readonly string[] {
  const [first, ...others] = [variable, ...fallbacks];
  const fallback = defaultText === '' ? '' : ` [default: ${defaultText}]`;
  return [
    `  ${first}`,
    ...others.map((name) => `  else ${name}`),
    ...wrapIndented(`${description}${fallback}`, 6, columns),
  ];
}
