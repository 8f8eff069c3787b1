import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const repository = fileURLToPath(new URL('../../..', import.meta.url));

const run = promisify(execFile);
const maxOutputBytes = 64 * 1_048_576;

/** Runs `docker` in the repository and gives what it printed to stdout; fails with what it printed to stderr. */
export async function docker(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  return (await execute(args, environment)).stdout;
}

/** The same, with what it printed to stderr as well. */
export async function dockerOutput(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execute(args, {});
  return stdout + stderr;
}

async function execute(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const env = { ...process.env, ...environment };
  try {
    return await run('docker', args, { cwd: repository, env, maxBuffer: maxOutputBytes });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new Error(`docker ${args.join(' ')}: ${stderr.trim() || message}`, { cause: error });
  }
}
