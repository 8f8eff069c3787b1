import { execFile, spawn } from 'node:child_process';
import type { Terminal } from '../../cli/terminal/output.ts';

export type Created =
  | { readonly status: 'ok' /** Standard output of kubectl. */; readonly output: string }
  /** kubectl exited with an error. */
  | { readonly status: 'failed'; readonly exitCode: number; readonly reason: string }
  /** kubectl could not be started. */
  | { readonly status: 'unavailable'; readonly reason: string };

/** Without a namespace, kubectl uses the one of the object or of its configuration. */
export const namespaceOptions = (namespace: string | undefined): readonly string[] =>
  namespace === undefined ? [] : ['--namespace', namespace];

/** Passes a manifest to `kubectl create` and forwards its output as it comes. Never rejects. */
export function kubectlCreate(
  manifest: string,
  options: readonly string[],
  terminal: Pick<Terminal, 'stdout' | 'stderr'>,
): Promise<Created> {
  const child = spawn('kubectl', ['create', ...options, '-f', '-'], { stdio: 'pipe' });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      terminal[name].write(text);
    });
  // kubectl may exit before it has read all input; its exit code tells the failure.
  child.stdin.on('error', () => undefined).end(manifest);
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'it is not in PATH' : error.message;
      resolve({ status: 'unavailable', reason: `kubectl cannot be run: ${reason}` });
    });
    child.once('close', (code, signal) => {
      if (code === 0) return resolve({ status: 'ok', output: output.stdout });
      const ending = signal === null ? `exit code ${code}` : `signal ${signal}`;
      const reason = output.stderr.trim() || `kubectl ended with ${ending}`;
      return resolve({ status: 'failed', exitCode: code ?? 1, reason });
    });
  });
}

/** The name that Kubernetes generated, from kubectl's output: `job.batch/train-x7k2p created`. */
export const createdName = (generateName: string, output: string): string | undefined =>
  output
    .split('\n')
    .map((line) => /\/(\S+) created$/.exec(line)?.[1])
    .find((name) => name?.startsWith(generateName));

export type Fetched =
  | { readonly status: 'ok'; readonly object: unknown }
  | { readonly status: 'failed'; readonly reason: string };

/** A cluster that does not answer must not keep the job from being created. */
const fetchTimeoutMs = 10_000;

/** Reads an object of the cluster with `kubectl get`. Never rejects. */
export function kubectlGet(kind: string, name: string, options: readonly string[]): Promise<Fetched> {
  const args = ['get', kind, name, ...options, '-o', 'json'];
  return new Promise((resolve) => {
    const child = execFile(
      'kubectl',
      args,
      { timeout: fetchTimeoutMs, maxBuffer: 2 ** 24 },
      (error, stdout, stderr) => {
        if (error !== null)
          return resolve({
            status: 'failed',
            reason: stderr.trim() || `kubectl: ${error.code ?? error.signal}`,
          });
        try {
          return resolve({ status: 'ok', object: JSON.parse(stdout) });
        } catch {
          return resolve({ status: 'failed', reason: 'kubectl printed no JSON' });
        }
      },
    );
    // A plugin for credentials must not wait for input.
    child.stdin?.end();
  });
}
