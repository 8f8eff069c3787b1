import { spawnSync } from 'node:child_process';
import { expect, inject, it } from 'vitest';
import { injectManifest } from '../../src/kubernetes/inject.ts';
import { injectDefaults } from '../../src/kubernetes/options.ts';

const job = (index: number) => `apiVersion: batch/v1
kind: Job
metadata:
  name: train-${index}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: trainer
          image: registry.example.com/train:2
          args: [--index, "${index}"]
`;
const repeated = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index));
const stream = (count: number) => repeated(count, job).join('---\n');
const list = (count: number) =>
  `apiVersion: v1\nkind: List\nitems:\n${repeated(count, (index) =>
    job(index)
      .replace(/^(?=.)/gm, '  ')
      .replace(' ', '-'),
  ).join('')}`;
const aliases = (count: number) =>
  `apiVersion: v1
kind: Pod
spec:
  containers:
    - name: first
      env: &env [{ name: A, value: b }]
${repeated(count, (index) => `    - name: next-${index}\n      env: *env\n`).join('')}`;

/** Milliseconds of CPU, the least of some runs: what else runs on the machine only adds to it. */
function cpuOf(manifest: string, runs: number): number {
  const times = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    const { status } = injectManifest(manifest, injectDefaults);
    expect(status).toBe('ok');
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

it.each([
  ['the documents of a stream', stream],
  ['the items of a List', list],
  ['the aliases of a document', aliases],
])(
  'takes time in proportion to %s, up to a thousand',
  (_name, manifest) => {
    const [some, all] = [manifest(250), manifest(1000)];
    const ofSome = cpuOf(some, 3);
    // Four times the documents; a quadratic step would take sixteen times as long.
    expect(cpuOf(all, 1) / ofSome).toBeLessThan(8);
  },
  120_000,
);

/** Whether the command can edit a manifest in a heap of this size. */
function fits(manifest: string, heapMegabytes: number): boolean {
  const args = [`--max-old-space-size=${heapMegabytes}`, inject('bundle'), 'inject'];
  const { status, stdout } = spawnSync(process.execPath, args, { input: manifest, maxBuffer: 2 ** 26 });
  return status === 0 && stdout.length > manifest.length;
}

it('takes memory in proportion to the documents of a stream, up to a thousand', () => {
  expect(fits(stream(250), 24)).toBe(true);
  expect(fits(stream(1000), 4 * 24)).toBe(true);
}, 120_000);
