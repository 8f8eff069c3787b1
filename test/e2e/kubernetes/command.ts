import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Runs a program in the repository and gives what it printed to stdout; fails with what it printed to stderr. */
export async function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, args, { cwd: repository, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim() || `exit code ${code}`}`);
  return stdout;
}

export const kubectl = (...args: readonly string[]) => run('kubectl', args);

/** `kubectl apply` of a text; with a server-side dry run, the API server checks it and keeps nothing. */
export const apply = (manifest: string, ...options: readonly string[]) =>
  run('kubectl', ['apply', '-f', '-', ...options], manifest);
