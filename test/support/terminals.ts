import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DocumentBlock } from './document-blocks.ts';
import { until } from './until.ts';

export interface Terminals {
  /** Runs blocks one after the other, each in a shell of its own. Rejects with the output where a command fails. */
  run(blocks: readonly DocumentBlock[]): Promise<void>;
  /** Presses Ctrl-C where commands still run, and waits until they have ended. */
  close(): Promise<void>;
}

export interface TerminalOptions {
  readonly folder: string;
  /** Added to the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
}

interface Shell {
  readonly pid: number;
  readonly output: () => string;
  /** Settles when the shell itself has ended. */
  readonly exited: Promise<unknown>;
  /** Its exit code, `null` where a signal ended it, when all that it has started has ended, too. */
  readonly ended: Promise<number | null>;
}

const readyWithinMs = 300_000;
const endsWithinMs = 15_000;

/** Shells in a folder, as a reader of a document has them open. */
export function openTerminals({ folder, environment }: TerminalOptions): Terminals {
  const open: Shell[] = [];

  async function runBlock({ line, script, until: pattern }: DocumentBlock): Promise<void> {
    const shell = startShell(script, folder, environment);
    const exited = shell.ended.then((code) => {
      if (pattern !== undefined || code !== 0)
        throw new Error(`line ${line}: exit code ${code}; it printed:\n${shell.output().slice(-5000)}`);
    });
    if (pattern === undefined) return exited;
    open.push(shell);
    const ready = until(
      () => pattern.test(shell.output()) || undefined,
      `${pattern} of line ${line}`,
      readyWithinMs,
    );
    await Promise.race([ready, exited]);
    // It ends when the terminals are closed.
    exited.catch(() => undefined);
  }

  return {
    run: async (blocks) => {
      for (const block of blocks) await runBlock(block);
    },
    close: async () => {
      await Promise.all(open.splice(0).map(interrupt));
    },
  };
}

function startShell(script: string, folder: string, environment: TerminalOptions['environment']): Shell {
  const child = spawn('bash', ['-exuo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, which Ctrl-C reaches as a whole.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return { pid: child.pid as number, output: () => output, exited, ended };
}

async function interrupt({ pid, exited, ended }: Shell): Promise<void> {
  signalGroup(pid, 'SIGINT');
  await Promise.race([exited, sleep(endsWithinMs, undefined, { ref: false })]);
  // Commands in the background of a script ignore Ctrl-C.
  signalGroup(pid, 'SIGKILL');
  await ended;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Nothing of the group is left.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
