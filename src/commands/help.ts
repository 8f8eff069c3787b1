import { type CommandContext, refuse } from '../cli/command.ts';
import { unknownCommand } from '../cli/dispatch.ts';
import { commandHelp, programHelp } from '../cli/help.ts';

/** `help [COMMAND]`: prints the help of the program or of a command. Exit code 0, or 2 for wrong arguments. */
export async function helpCommand(context: CommandContext): Promise<number> {
  const { args, commands, stdout } = context;
  const [name] = args.positionals;
  const command = commands.find((it) => it.name === name);
  const unknown = name === undefined || command !== undefined ? [] : [unknownCommand(commands, name)];
  const problems = [...args.problems, ...unknown];
  if (problems.length > 0) return refuse(context, problems);
  stdout.write(command === undefined ? programHelp(commands) : commandHelp(command));
  return 0;
}
