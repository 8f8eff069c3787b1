import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { expect, it, onTestFinished } from 'vitest';
import { decodeRequest } from '../../src/commands/demo/receiver/codec.ts';
import { type Point, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { metricsEncoding } from '../../src/otlp/queue/encoding.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

/** The losses of one request as the files of the queue hold it. */
function lossesIn(bytes: Uint8Array): readonly Point[] {
  const request = metricsEncoding.decode(bytes);
  const message = request && ProtobufMetricsSerializer.serializeRequest(request.data);
  return message ? decodeRequest(message).filter(({ metric }) => metric === 'ml.training.loss') : [];
}
const key = ({ timeMs, value }: Point) => `${timeMs} ${value}`;

it('a bridge that is killed again and again in an outage loses no snapshot, and sends each once', async () => {
  const [folder, queue] = [temporaryFolder(), temporaryFolder()];
  const file = join(folder, 'current.json');
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  receiver.reply(() => ({ status: 'error', code: status.UNAVAILABLE }));
  const start = () =>
    startProcess({
      environment: {
        METRICS_FILE_PATH: file,
        COLLECTION_INTERVAL: '0.01',
        SHUTDOWN_TIMEOUT: '0.5',
        EXPORT_QUEUE_SIZE: '3',
        EXPORT_QUEUE_DIR: queue,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      },
    });
  const files = () =>
    readdirSync(queue, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.otlp'))
      .map((name) => join(queue, name))
      .toSorted();
  const stored = () => files().map((path) => readFileSync(path).subarray(4));
  const isStored = (loss: number) =>
    stored().some((bytes) => bytes.length > 0 && lossesIn(bytes).some(({ value }) => value === loss));

  let loss = 0;
  for (const signal of ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
    const bridge = start();
    for (let step = 0; step < 5; step++) {
      replaceFile(file, exampleText({ metrics: { training_loss: ++loss } }));
      await until(() => isStored(loss), `loss ${loss} in the folder`);
    }
    bridge.child.kill(signal);
    await bridge.ended;
  }
  const expected = stored().flatMap(lossesIn).map(key);
  expect(new Set(expected.map((it) => Number(it.split(' ')[1])))).toEqual(
    new Set(Array.from({ length: 20 }, (_, index) => index + 1)),
  );

  receiver.reply(() => ({ status: 'ok' }));
  const last = start();
  const accepted = () => receiver.points('ml.training.loss').map(key);
  await receiver.waitFor(() => expected.every((it) => accepted().includes(it)), 'all that was stored');
  for (const it of expected) expect(accepted().filter((other) => other === it)).toEqual([it]);
  await until(() => files().length === 0, 'an empty folder');
  last.child.kill('SIGTERM');
  expect(await last.ended).toEqual({ code: 0, signal: null });
  expect(files()).toEqual([]);
});

it('a bridge that is killed while snapshots wait for EXPORT_MIN_INTERVAL has them in the folder', async () => {
  const [folder, queue] = [temporaryFolder(), temporaryFolder()];
  const file = join(folder, 'current.json');
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const start = () =>
    startProcess({
      environment: {
        METRICS_FILE_PATH: file,
        COLLECTION_INTERVAL: '0.01',
        EXPORT_MIN_INTERVAL: '30',
        EXPORT_QUEUE_DIR: queue,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      },
    });
  const losses = () => receiver.points('ml.training.loss').map(({ value }) => value);
  const stored = () =>
    readdirSync(queue, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.otlp'))
      .flatMap((name) => lossesIn(readFileSync(join(queue, name)).subarray(4)))
      .map(({ value }) => value);

  const killed = start();
  for (const loss of [1, 2, 3]) {
    replaceFile(file, exampleText({ metrics: { training_loss: loss } }));
    const isThere = () => (loss === 1 ? losses() : stored()).includes(loss);
    await until(isThere, `loss ${loss} at the Collector or in the folder`);
  }
  killed.child.kill('SIGKILL');
  await killed.ended;
  expect(losses()).toEqual([1]);

  const successor = start();
  await receiver.waitFor(() => losses().includes(2) && losses().includes(3), 'what waited');
  successor.child.kill('SIGTERM');
  expect(await successor.ended).toEqual({ code: 0, signal: null });
});
