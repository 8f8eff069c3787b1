import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type Receiver, startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { temporaryFolder } from '../../support/file.ts';

export const startMs = Date.parse('2026-11-20T10:00:00Z');

/** Records with their own times, 10 s apart. */
export const jsonLines = (count: number): string =>
  Array.from({ length: count }, (_, index) => index + 1)
    .map((step) =>
      JSON.stringify({ timestamp: startMs / 1000 + 10 * step, step, loss: 1 / step, grad: step }),
    )
    .map((line) => `${line}\n`)
    .join('');

/** Writes files below a temporary folder and gives its path. */
export function folderOf(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return folder;
}

export async function receiver(): Promise<Receiver> {
  const started = await startReceiver();
  onTestFinished(() => started.stop());
  return started;
}

/** Values of a metric, by Unix milliseconds. */
export const valuesOf = (from: Receiver, metric: string): ReadonlyMap<number, number> =>
  new Map(from.points(metric).map(({ timeMs, value }) => [timeMs, value]));

/** Each record of `jsonLines` has arrived, and has one value of each metric, however often it was sent. */
export function expectEachOnce(target: Receiver, records: number): void {
  for (const metric of ['ml.training.loss', 'ml.training.grad', 'ml.training.batch_number']) {
    const values = new Map<string, number>();
    for (const { timeMs, value, attributes } of target.points(metric)) {
      const key = `${attributes['job.id']} ${timeMs}`;
      expect(values.get(key) ?? value, `${metric} ${key}`).toBe(value);
      values.set(key, value);
    }
    expect(values.size).toBe(records);
  }
}
