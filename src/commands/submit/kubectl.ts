import { spawn } from 'node:child_process';

export type Created =
  | { readonly status: 'ok' /** What kubectl has printed. */; readonly output: string }
  /** kubectl ran and refused. */
  | { readonly status: 'failed'; readonly exitCode: number; readonly reason: string }
  /** kubectl could not be run at all. */
  | { readonly status: 'unavailable'; readonly reason: string };

export interface KubectlOutput {
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
}

/** Hands a manifest to `kubectl create`. What it prints goes on as it comes; never rejects. */
export function kubectlCreate(
  manifest: string,
  options: readonly string[],
  { print, printError }: KubectlOutput,
): Promise<Created> {
  const child = spawn('kubectl', ['create', ...options, '-f', '-'], { stdio: 'pipe' });
  const said = { stdout: '', stderr: '' };
  const pass = (name: 'stdout' | 'stderr', on: (text: string) => void) =>
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      on(text);
    });
  pass('stdout', print);
  pass('stderr', printError);
  // kubectl may end without having read it all; its exit code says why.
  child.stdin.on('error', () => undefined).end(manifest);
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'it is not on the PATH' : error.message;
      resolve({ status: 'unavailable', reason: `kubectl cannot be run: ${reason}` });
    });
    child.once('close', (code, signal) => {
      if (code === 0) return resolve({ status: 'ok', output: said.stdout });
      const ending = signal === null ? `exit code ${code}` : `signal ${signal}`;
      const reason = said.stderr.trim() || `kubectl ended with ${ending}`;
      return resolve({ status: 'failed', exitCode: code ?? 1, reason });
    });
  });
}

/** The name Kubernetes has made of a generateName, as kubectl tells it: `job.batch/train-x7k2p created`. */
export const createdName = (generateName: string, output: string): string | undefined =>
  output
    .split('\n')
    .map((line) => /\/(\S+) created$/.exec(line)?.[1])
    .find((name) => name?.startsWith(generateName));
