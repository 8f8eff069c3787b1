import { Readable, Writable } from 'node:stream';
import type { CommandDefinition } from '../../src/cli/command.ts';
import type { Output } from '../../src/cli/terminal/output.ts';
import { commands, runCommandLine } from '../../src/commands/command-line.ts';

export const commandRows: readonly CommandDefinition[] = commands;

/** An output that keeps what is written to it. */
export function capture(properties: Partial<Pick<Output, 'isTTY' | 'columns' | 'rows'>> = {}) {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { output: Object.assign(stream, properties) as Output, text: () => text };
}

export interface CommandLineOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly columns?: number;
  /** Stands in for SIGINT and SIGTERM. */
  readonly signal?: AbortSignal;
  readonly stdout?: Output;
}

/** Runs a command line in this process. */
export async function commandLine(args: readonly string[], options: CommandLineOptions = {}) {
  const { environment = {}, input = '', columns = 80, signal } = options;
  const [output, errors] = [capture({ columns }), capture()];
  const code = await runCommandLine(args, {
    environment,
    stdin: Readable.from([input]),
    stdout: options.stdout ?? output.output,
    stderr: errors.output,
    ...(signal && { stopSignal: () => signal }),
  });
  return { code, text: output.text(), errors: errors.text() };
}
