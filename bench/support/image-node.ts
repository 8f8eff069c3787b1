import { execFileSync } from 'node:child_process';

/** Path of the Node that runs the bridge and bare Node: IMAGE_NODE, by default the one that runs the benchmark. */
export const imageNode = process.env.IMAGE_NODE ?? process.execPath;

/** Such as `26.10.0`. */
export const imageNodeVersion = () =>
  execFileSync(imageNode, ['--print', 'process.versions.node'], { encoding: 'utf8' }).trim();
