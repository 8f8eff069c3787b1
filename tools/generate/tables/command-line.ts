import { type CommandDefinition, programName } from '../../../src/cli/command.ts';
import { optionText, usageLine } from '../../../src/cli/help.ts';
import { fieldMembers, reportMembers } from '../../../src/commands/check/report-shape.ts';
import { commands } from '../../../src/commands/command-line.ts';
import { code, markdownTable, prose } from '../markdown.ts';

/** The command line as Markdown: every command, and the options of those that have any. */
export function commandLineSection(): string {
  const all: readonly CommandDefinition[] = commands;
  return [
    markdownTable(
      ['Command', 'What it does'],
      all.map(({ name, summary }) => [code(name), prose(summary)]),
    ),
    ...all.filter(({ options }) => options.length > 0).map(optionsOf),
    `${code('check --output json')} prints one object. Members may be added; existing ones keep their meaning.`,
    membersTable(reportMembers),
    `Each element of ${code('fields')}:`,
    membersTable(fieldMembers),
    `Every command accepts ${code('--help')}. ${code(`${programName} --version`)} shows the version.`,
  ].join('\n\n');
}

const membersTable = (members: Readonly<Record<string, string>>) =>
  markdownTable(
    ['Member', 'What it is'],
    Object.entries(members).map(([name, meaning]) => [code(name), prose(meaning)]),
  );

function optionsOf(command: CommandDefinition): string {
  const rows = command.options.map((option) => [code(optionText(option).trim()), prose(option.description)]);
  return [
    `${code(usageLine(command).replace('Usage: ', ''))}`,
    markdownTable(['Option', 'What it does'], rows),
  ].join('\n\n');
}
