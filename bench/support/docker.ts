import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const image = 'ml-metrics-bridge:bench';
const root = fileURLToPath(new URL('../..', import.meta.url));

export const docker = (...args: readonly string[]): string =>
  execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** Builds the image where Docker answers, and says whether it does. */
export function buildImage(): boolean {
  try {
    docker('version');
  } catch {
    return false;
  }
  docker('build', '--quiet', '--tag', image, root);
  return true;
}

/** Bytes of the image, uncompressed, Node included. */
export const imageBytes = (): number => Number(docker('image', 'inspect', '--format', '{{.Size}}', image));

/** Bytes a container uses as `docker stats` shows it: the working set of its cgroup, without the page cache that is idle. */
export const workingSetOf = (container: string): number =>
  readSize(docker('stats', '--no-stream', '--format', '{{.MemUsage}}', container).split(' / ')[0] ?? '');

const units: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Reads a size as Docker writes it, such as `23.4MiB`. */
export function readSize(text: string): number {
  const [, number, unit = ''] = /^([\d.]+)([KMG]?i?B)$/.exec(text) ?? [];
  const factor = units[unit];
  if (factor === undefined) throw new Error(`${text} is not a size in B, KiB, MiB or GiB`);
  return Number(number) * factor;
}
