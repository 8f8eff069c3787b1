import { type CommandContext, printErrors, refuse } from '../../cli/command.ts';
import { type Output, printLines, sizeOf } from '../../cli/terminal/output.ts';
import { systemClock } from '../../common/clock.ts';
import { type Config, readConfig } from '../../config/bridge.ts';
import { createSource } from '../../snapshot/create-source.ts';
import { filesOfRanks } from '../../snapshot/rank-files.ts';
import { type Followed, follow } from './follow.ts';
import { whileConnected } from './input-end.ts';
import { watchLines } from './plain.ts';
import { parseWatchedFile } from './rank-file.ts';
import { watchRequestOf } from './request.ts';
import { unreadState, type WatchState } from './state.ts';
import { watchOnTerminal } from './terminal.ts';
import { watchView } from './view.ts';

/**
 * `watch [FILE…]`: shows training runs while they train.
 *
 * @returns the exit code: 0 stopped, 1 a file could not be read with --once, 2 wrong arguments or variables
 */
export async function watchCommand(context: CommandContext): Promise<number> {
  const { args, environment, stdin, stdout } = context;
  const request = watchRequestOf(args);
  const problems = [...args.problems, ...request.problems];
  if (problems.length > 0) return refuse(context, problems);
  const reading = readConfig(environment);
  if (reading.status === 'invalid')
    return refuse(
      context,
      reading.problems.map(({ message }) => message),
    );
  const { config } = reading;
  const paths = request.files.length > 0 ? request.files : await filesOf(config);
  const stopped = context.stopSignal();
  const signal = args.options.once ? stopped : whileConnected(stdin, stopped);
  const followed = await Promise.all(
    paths.map(async (path) => {
      // The history that a log holds is shown from its beginning.
      const source = { ...config, metricsFilePath: path, metricsStart: 'beginning' } as const;
      const options = { parse: parseWatchedFile };
      return {
        path,
        source: await createSource(source, systemClock, options),
        policy: config,
        clock: systemClock,
      };
    }),
  );
  if (args.options.serve) return serve(context, followed, { port: request.port, signal });
  if (args.options.once) return printFrame(stdout, followed, signal);
  // A dumb terminal, such as a shell within an editor, cannot move its cursor.
  if (stdout.isTTY && environment.TERM !== 'dumb') await watchOnTerminal({ stdin, stdout, followed, signal });
  else await printChanges(stdout, followed, signal);
  return 0;
}

/** What the bridge reads: its file, and those of other ranks that are there now. */
async function filesOf({ metricsFilePath, rankFiles }: Config): Promise<readonly string[]> {
  const others = rankFiles === undefined ? [] : await filesOfRanks(rankFiles);
  return [...new Set([metricsFilePath, ...others])];
}

/** Serves the web page. What it needs is loaded for it alone. */
async function serve(
  context: CommandContext,
  followed: readonly Followed[],
  options: { readonly port: number; readonly signal: AbortSignal },
): Promise<number> {
  const { serveWatch } = await import('./serve.ts');
  const onListening = (address: string) =>
    void context.stdout.write(`Open ${address} in a browser. Ctrl-C stops.\n`);
  const serving = await serveWatch({ followed, ...options, onListening });
  if (serving.status === 'stopped') return 0;
  printErrors(context, [serving.reason]);
  return 1;
}

/** Prints one frame of the screen and reports whether every file could be read. */
async function printFrame(
  output: Output,
  followed: readonly Followed[],
  signal: AbortSignal,
): Promise<number> {
  const onState = () => undefined;
  const states = await Promise.all(followed.map((it) => follow({ ...it, signal, onState }, 'once')));
  const { columns, rows } = sizeOf(output);
  printLines(output, watchView(states, { file: 0, field: undefined }, { columns, rows: rows - 1 }));
  return states.every(({ run, problem }) => run !== undefined && problem === undefined) ? 0 : 1;
}

/** Prints a line for each change, for an output that is not a terminal. */
async function printChanges(
  output: Output,
  followed: readonly Followed[],
  signal: AbortSignal,
): Promise<void> {
  const printer = (path: string) => {
    let state = unreadState(path);
    return (next: WatchState) => {
      for (const line of watchLines(state, next)) output.write(`${line}\n`);
      state = next;
    };
  };
  await Promise.all(
    followed.map((it) => follow({ ...it, signal, onState: printer(it.path) }, 'until_stopped')),
  );
}
