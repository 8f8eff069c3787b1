import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { until } from '../support/until.ts';

export interface Program {
  readonly pid: number;
  /** Kills it, and waits until it is gone. */
  stop(): Promise<void>;
}

export interface ProgramOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder?: string;
  /** Added to the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Asked until it is true, with what the program has said so far. */
  readonly isReady: (said: string) => Promise<boolean | undefined>;
  /** Until when it has to be ready; a minute by default. */
  readonly readyWithinMs?: number;
}

/**
 * A program in the background. Rejects with what it has said where it cannot be run, ends before it is ready or is not
 * ready in time, and leaves no process then.
 */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { program, args, folder, environment, isReady, readyWithinMs = 60_000 } = options;
  const child = spawn(program, args, { cwd: folder, env: { ...process.env, ...environment }, stdio: 'pipe' });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said = (said + chunk).slice(-2000);
    });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('close', () => resolve());
    child.once('error', (error) =>
      reject(new Error(`${program} cannot be run (${error.message}): put it on the PATH`)),
    );
  });
  const early = ended.then(() => {
    throw new Error(`${program} ended: ${said}`);
  });
  const ready = until(() => isReady(said), `${program} to be ready`, readyWithinMs).catch((error) => {
    throw new Error(`${error.message}; it said: ${said}`);
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    await Promise.race([ready, early]);
  } catch (error) {
    // One that could not be run has no process.
    await stop().catch(() => undefined);
    throw error;
  }
  early.catch(() => undefined);
  return { pid: child.pid as number, stop };
}

/** Ends a program by SIGTERM, and waits until it has done what it does at its end. */
export async function endProgram(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  const isGone = () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  };
  await until(isGone, `process ${pid} to end`, 60_000);
}

/** Whether a GET of the address is answered with a success. */
export const answers = async (url: string): Promise<boolean | undefined> =>
  (await fetch(url).catch(() => undefined))?.ok;

/** Whether a port of this machine takes connections. */
export const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (taken: boolean) => () => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', answer(true)).once('error', answer(false));
  });
