import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { replaceFile, temporaryFolder } from './file.ts';
import { type ProcessOptions, startProcess, type TestProcess } from './process.ts';

export interface DeliveringProcess {
  readonly receiver: Receiver;
  readonly file: string;
  readonly bridge: TestProcess;
}

export interface DeliveringProcessOptions extends Pick<ProcessOptions, 'preload'> {
  readonly environment?: ProcessOptions['environment'];
  /** That of the receiver by default. */
  readonly endpoint?: string;
  /** The metrics file before the bridge starts; there is none by default. */
  readonly content?: string;
}

/** The bundle in a process of its own and a receiver in this one, both ended when the test ends. It polls every 20 ms. */
export async function startDeliveringProcess({
  environment,
  endpoint,
  content,
  ...options
}: DeliveringProcessOptions = {}): Promise<DeliveringProcess> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const file = join(temporaryFolder(), 'current.json');
  if (content !== undefined) replaceFile(file, content);
  const bridge = startProcess({
    ...options,
    environment: {
      METRICS_FILE_PATH: file,
      COLLECTION_INTERVAL: '0.02',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint ?? receiver.endpoint,
      ...environment,
    },
  });
  return { receiver, file, bridge };
}
