#!/usr/bin/env node
import { runCommand } from './commands/run.ts';

const leave = (exitCode: number): void => process.exit(exitCode);

/** The only place that ends the process. Everything but the bridge itself is loaded when it is asked for. */
async function main([command = 'run', ...rest]: readonly string[]): Promise<number> {
  const environment = process.env;
  switch (command) {
    case 'run':
      return runCommand({ environment, leave });
    case 'simulate':
      return (await import('./commands/simulate.ts')).simulateCommand(rest, environment);
    case 'demo':
      return (await import('./commands/demo.ts')).demoCommand(rest);
    default:
      process.stderr.write(
        `ml-metrics-bridge: there is no command '${command}'; there are run, simulate and demo\n`,
      );
      return 2;
  }
}

void main(process.argv.slice(2)).then(leave);
