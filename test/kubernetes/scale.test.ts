import { expect, it } from 'vitest';
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
const stream = (count: number) => Array.from({ length: count }, (_, index) => job(index)).join('---\n');

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

it('takes time in proportion to the documents of a stream, up to a thousand', () => {
  const [some, all] = [stream(250), stream(1000)];
  const ofSome = cpuOf(some, 3);
  // Four times the documents; a quadratic step would take sixteen times as long.
  expect(cpuOf(all, 1) / ofSome).toBeLessThan(8);
}, 120_000);

it('takes memory in proportion to the documents of a stream, up to a thousand', () => {
  const output = (count: number) => {
    const injection = injectManifest(stream(count), injectDefaults);
    return injection.status === 'ok' ? injection.text.length : 0;
  };
  const heapOf = (count: number) => {
    const before = process.memoryUsage().heapUsed;
    const length = output(count);
    return { grown: Math.max(0, process.memoryUsage().heapUsed - before), length };
  };
  const [some, all] = [heapOf(250), heapOf(1000)];
  expect(all.length / some.length).toBeCloseTo(4, 0);
  // Garbage is collected now and then, so this is an upper bound: 0.3 MB for each document.
  expect(all.grown).toBeLessThan(1000 * 0.3 * 2 ** 20);
}, 120_000);
