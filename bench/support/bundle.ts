import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../tools/build/bundle.ts';
import { readStages, type Stage } from './dockerfile.ts';
import { imageNode } from './image-node.ts';

/** A program as it is started: with whichever flags and environment belong to it. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface Built {
  readonly folder: string;
  /** The bridge with Node's flags and the environment of the image, its compile cache as warm as the image's. */
  readonly bridge: Program;
  /** Node with the same flags and environment, to run something else. */
  readonly node: (args: readonly string[], environment?: Readonly<Record<string, string>>) => Program;
  remove(): void;
}

/**
 * Prepares a bundle as the Dockerfile does, in a folder of its own.
 *
 * @param dist a folder with the bundle of another checkout; by default, the bundle of this one is built
 */
export async function buildAsInImage(dist?: string): Promise<Built> {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-bench-'));
  if (dist === undefined) await bundle(join(folder, 'app'));
  else cpSync(dist, join(folder, 'app'), { recursive: true });
  mkdirSync(join(folder, 'tmp'));
  const stages = readStages(readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8'));
  const here = (text: string) => text.replace(/^\/(app|tmp)\b/, `${folder}/$1`);
  const inFolder = ({ environment }: Stage) =>
    Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, here(value)]));

  for (const stage of stages)
    for (const [, ...args] of stage.runs)
      execFileSync(imageNode, args.map(here), { env: inFolder(stage), stdio: 'ignore' });

  const image = stages.at(-1);
  if (image?.entrypoint[0] !== '/nodejs/bin/node' || !image.entrypoint.includes('/app/main.cjs'))
    throw new Error('the Dockerfile does not start Node with /app/main.cjs any more');
  const environment = inFolder(image);
  const args = image.entrypoint.slice(1).map(here);
  const flags = args.slice(0, args.indexOf(here('/app/main.cjs')));
  return {
    folder,
    bridge: { command: imageNode, args, environment },
    node: (more, own = {}) => ({
      command: imageNode,
      args: [...flags, ...more],
      environment: { ...environment, ...own },
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
