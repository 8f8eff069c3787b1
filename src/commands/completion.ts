import { type CommandContext, refuse } from '../cli/command.ts';
import { completionScript, type Shell } from '../cli/completion.ts';

/** `completion bash|zsh|fish`: prints a completion script. Exit code 0, or 2 for wrong arguments. */
export async function completionCommand(context: CommandContext): Promise<number> {
  const { args, commands, stdout } = context;
  if (args.problems.length > 0) return refuse(context, args.problems);
  // Reading the arguments has made sure of it.
  const [shell] = args.positionals as readonly [Shell];
  stdout.write(completionScript(shell, commands));
  return 0;
}
