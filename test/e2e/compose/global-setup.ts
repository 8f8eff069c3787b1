import { docker } from './docker.ts';

/** Without Docker nothing here can be shown, and a test that shows nothing must not look as if it had passed. */
export async function setup(): Promise<void> {
  try {
    await docker(['version', '--format', '{{.Server.Version}}']);
    await docker(['compose', 'version', '--short']);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The end-to-end tests need Docker with Compose 2: ${reason}`, { cause: error });
  }
}
