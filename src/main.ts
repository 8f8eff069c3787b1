#!/usr/bin/env node
import { runCommand } from './commands/run.ts';

const leave = (exitCode: number): void => process.exit(exitCode);

/** The only place that ends the process. Everything but the bridge itself is loaded when it is asked for. */
async function main(args: readonly string[]): Promise<number> {
  const environment = process.env;
  const [command = 'run', ...rest] = args;
  const asksForHelp = rest.includes('--help') || rest.includes('-h');
  switch (asksForHelp ? 'help' : command) {
    case 'run':
      if (rest.length === 0) return runCommand({ environment, leave });
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

void main(process.argv.slice(2)).then(leave);
