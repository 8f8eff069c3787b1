import { readArguments } from '../cli/arguments.ts';
import { commandOf, shells } from '../cli/command-table.ts';
import { completionScript } from '../cli/completion.ts';
import { commandHelp } from '../cli/help.ts';
import { suggestion } from '../cli/nearest.ts';

/** `completion bash|zsh|fish`: prints a script. Gives the exit code: 0, or 2 for wrong arguments. */
export async function completionCommand(args: readonly string[]): Promise<number> {
  const command = commandOf('completion');
  const { positionals, problems } = readArguments(command, args);
  const [written] = positionals;
  const shell = shells.find((it) => it === written);
  if (shell !== undefined && problems.length === 0) {
    process.stdout.write(completionScript(shell));
    return 0;
  }
  const wrongShell =
    written === undefined || shell !== undefined
      ? []
      : [`there is no completion for ${JSON.stringify(written)}.${suggestion(written, shells)}`];
  process.stderr.write([...problems, ...wrongShell, commandHelp(command)].join('\n'));
  return 2;
}
