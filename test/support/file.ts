import { mkdtempSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is gone after the test. */
export function temporaryFolder(parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, 'ml-metrics-bridge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Replaces a file as a good writer does. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.next`, content);
  renameSync(`${path}.next`, path);
}

export interface FileOverrides {
  readonly job?: Readonly<Record<string, unknown>>;
  readonly metrics?: Readonly<Record<string, unknown>>;
  readonly top?: Readonly<Record<string, unknown>>;
}

/** The example of the file's contract, with members replaced; `undefined` takes one out. */
export function exampleFile({ job, metrics, top }: FileOverrides = {}) {
  return {
    timestamp: '2025-10-23T10:30:45.123456+00:00',
    job_metadata: defined({
      job_id: 'training-job-001',
      model_name: 'resnet-50',
      dataset: 'imagenet',
      start_time: '2025-10-23T10:15:00.000000+00:00',
      ...job,
    }),
    training_metrics: defined({
      epoch: 3,
      batch_number: 45,
      training_loss: 1.2345,
      validation_loss: 1.3456,
      accuracy: 0.6789,
      learning_rate: 0.000857375,
      gpu_utilization: 0.923,
      processing_time_ms: 238,
      samples_per_second: 134.45,
      ...metrics,
    }),
    ...defined(top ?? {}),
  };
}

function defined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** JSON as Python's `json.dumps` writes it, with bare NaN and infinities. */
export function pythonJson(value: unknown): string {
  const marked = JSON.stringify(value, (_key, item) =>
    typeof item === 'number' && !Number.isFinite(item) ? `\u0001${item}\u0001` : item,
  );
  return marked.replace(/"\\u0001(NaN|-?Infinity)\\u0001"/g, '$1');
}

export const exampleText = (overrides: FileOverrides = {}): string => pythonJson(exampleFile(overrides));

/** Files of a folder that this process has open. */
export const openFilesIn = (folder: string): readonly string[] =>
  readdirSync('/proc/self/fd')
    .map((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        // That of the listing itself.
        return '';
      }
    })
    .filter((path) => path.startsWith(folder));
