#!/usr/bin/env node
import { exitProcess } from './bridge/lifecycle/exit-process.ts';
import { listenForShutdown } from './bridge/lifecycle/shutdown.ts';

/** The only file that ends the process. Without arguments, nothing of the command line is loaded. */
async function main(args: readonly string[]): Promise<number> {
  const environment = process.env;
  const [command = 'run', ...rest] = args;
  if (command === 'run' && rest.length === 0) {
    // Listens for signals first, because one may arrive while the bridge's code is loaded.
    const shutdown = listenForShutdown();
    const { runCommand } = await import('./commands/run.ts');
    return runCommand({ environment, shutdown, exit: exitProcess });
  }
  const { runCommandLine } = await import('./commands/command-line.ts');
  const { stdin, stdout, stderr } = process;
  return runCommandLine(args, { environment, stdin, stdout, stderr });
}

void main(process.argv.slice(2)).then(exitProcess);
