import { readFileSync } from 'node:fs';
import { removeFromManifest } from '../../../src/kubernetes/inject.ts';
import { namespace } from './cluster.ts';
import { repository } from './command.ts';

export type ShippedJob = 'ml-training-job' | 'ml-training-job-container';

export const shipped = (job: ShippedJob) => readFileSync(`${repository}k8s/${job}.yaml`, 'utf8');

/** A shipped Job under another name, in a quarter of a minute instead of two. */
export function shippedAs(job: ShippedJob, name: string): string {
  return shipped(job)
    .replaceAll(new RegExp(`(name|app): ${job}$`, 'gm'), `$1: ${name}`)
    .replace(`value: ${job}}`, `value: ${name}}`)
    .replace('name: WRITE_INTERVAL, value: "0.5"', 'name: WRITE_INTERVAL, value: "0.06"');
}

export function withoutBridge(manifest: string): string {
  const removal = removeFromManifest(manifest);
  if (removal.status === 'invalid') throw new Error(removal.problems.join('\n'));
  return removal.text;
}

/** The pod that a Job's template makes. */
export function podOf(job: string): string {
  const template = job.slice(job.indexOf('  template:\n') + '  template:\n'.length).replaceAll(/^ {4}/gm, '');
  return `apiVersion: v1\nkind: Pod\n${template.replace('metadata:', `metadata:\n  name: probe\n  namespace: ${namespace}`)}`;
}
