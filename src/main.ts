#!/usr/bin/env node
import { exitProcess } from './bridge/lifecycle/exit-process.ts';
import { listenForShutdown } from './bridge/lifecycle/shutdown.ts';

/** The only file that ends the process. Each command is loaded only when it is asked for. */
async function main(args: readonly string[]): Promise<number> {
  const environment = process.env;
  const [command = 'run', ...rest] = args;
  const asksForHelp = rest.includes('--help') || rest.includes('-h');
  switch (asksForHelp ? 'help' : command) {
    case 'run':
      if (rest.length === 0) return runBridgeCommand(environment);
      break;
    case 'check':
      return (await import('./commands/check/command.ts')).checkCommand(rest, environment);
    case 'completion':
      return (await import('./commands/completion.ts')).completionCommand(rest);
    case 'demo':
      return (await import('./commands/demo/command.ts')).demoCommand(rest);
    case 'inject':
      return (await import('./commands/inject.ts')).injectCommand(rest, environment);
    case 'simulate':
      return (await import('./commands/simulate/command.ts')).simulateCommand(rest, environment);
    case 'submit':
      return (await import('./commands/submit/command.ts')).submitCommand(rest, environment);
  }
  return (await import('./commands/help.ts')).helpCommand(args);
}

/** Signals count from here on, before the bridge's own code is loaded. */
async function runBridgeCommand(environment: NodeJS.ProcessEnv): Promise<number> {
  const shutdown = listenForShutdown();
  const { runCommand } = await import('./commands/run.ts');
  return runCommand({ environment, shutdown, exit: exitProcess });
}

void main(process.argv.slice(2)).then(exitProcess);
