import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { startBridge } from '../support/bridge.ts';
import { type Authority, createAuthority } from '../support/certificates.ts';
import { replaceFile, temporaryFolder } from '../support/file.ts';
import { clientEnvironment, clientFiles, secretVolume } from '../support/secret-volume.ts';
import { until } from '../support/until.ts';

const serverOf = (authority: Authority, port = 0) =>
  startReceiver({
    port,
    credentials: ServerCredentials.createSsl(
      readFileSync(authority.cert),
      [authority.issue('localhost').pair],
      true,
    ),
  });

const tlsTo = (port: number, path: (name: string) => string) => ({
  OTEL_METRIC_EXPORT_INTERVAL: '20',
  OTEL_EXPORTER_OTLP_ENDPOINT: `https://localhost:${port}`,
  ...clientEnvironment(path),
});

type ClientFiles = ReturnType<typeof clientFiles>;

/** Another file with the same certificate. */
const withNote = (pem: Buffer) => Buffer.concat([pem, Buffer.from('# renewed\n')]);

const losses = (receiver: Receiver) => [
  ...new Set(receiver.points('ml.training.loss').map(({ value }) => value)),
];

/** Passes connections on and counts them. */
async function countConnections(target: number) {
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await until(() => server.listening, 'the proxy');
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

it.each<[string, (files: ClientFiles, authority: Authority) => ClientFiles]>([
  ['a certificate and its key', (_, authority) => clientFiles(authority, authority.issue('bridge'))],
  ['a certificate for the same key', (files) => ({ ...files, 'tls.crt': withNote(files['tls.crt']) })],
  [
    'the authorities',
    (files) => ({
      ...files,
      'ca.crt': Buffer.concat([files['ca.crt'], readFileSync(createAuthority('next').cert)]),
    }),
  ],
])('%s that are renewed are used from the next export on, on a new connection', async (_what, renewed) => {
  const authority = createAuthority();
  const files = clientFiles(authority, authority.issue('bridge'));
  const volume = secretVolume(files);
  const receiver = await serverOf(authority);
  const proxy = await countConnections(receiver.port);
  const { write } = await startBridge({ receiver, environment: tlsTo(proxy.port, volume.path) });
  for (const loss of [1, 2]) await write({ metrics: { training_loss: loss } });
  await receiver.waitFor(() => losses(receiver).includes(2), 'the second');
  expect(proxy.connections()).toBe(1);
  volume.renew(renewed(files, authority));
  await until(() => proxy.connections() === 2, 'the second connection');
  for (const loss of [3, 4]) await write({ metrics: { training_loss: loss } });
  await receiver.waitFor(() => losses(receiver).includes(4), 'the fourth');
  expect(losses(receiver)).toEqual([1, 2, 3, 4]);
  expect(proxy.connections()).toBe(2);
});

it('an authority that is replaced on both sides costs no snapshot', async () => {
  const [before, after] = [createAuthority('before'), createAuthority('after')];
  const volume = secretVolume(clientFiles(before, before.issue('bridge')));
  const first = await serverOf(before);
  const { write, log } = await startBridge({
    receiver: first,
    environment: tlsTo(first.port, volume.path),
  });
  await write({ metrics: { training_loss: 1 } });
  await first.waitFor(() => losses(first).includes(1), 'the first');
  await first.stop();
  const second = await serverOf(after, first.port);
  onTestFinished(() => second.stop());
  for (const loss of [2, 3]) await write({ metrics: { training_loss: loss } });
  const refusal = await until(() => log.find(({ reason }) => /authority/.test(String(reason))), 'the cause');
  expect(refusal).toMatchObject({
    level: 'warn',
    reason: 'the certificate of the Collector is signed by an unknown authority',
    advice: expect.stringContaining('OTEL_EXPORTER_OTLP_CERTIFICATE'),
  });
  volume.renew(clientFiles(after, after.issue('bridge')));
  await second.waitFor(() => losses(second).includes(3), 'what waited');
  expect(losses(second)).toEqual(expect.arrayContaining([2, 3]));
});

it('files that are replaced one after the other are used when they fit', async () => {
  const authority = createAuthority();
  const folder = temporaryFolder();
  const path = (name: string) => join(folder, name);
  const put = (files: Readonly<Record<string, Buffer>>) => {
    for (const [name, content] of Object.entries(files)) replaceFile(path(name), content);
  };
  put(clientFiles(authority, authority.issue('bridge')));
  const receiver = await serverOf(authority);
  const { write, log } = await startBridge({ receiver, environment: tlsTo(receiver.port, path) });
  await write({ metrics: { training_loss: 1 } });
  await receiver.waitFor(() => losses(receiver).includes(1), 'the first');
  const { 'tls.crt': cert, 'tls.key': key } = clientFiles(authority, authority.issue('bridge'));
  put({ 'tls.key': key });
  const stayed = 'Credentials cannot be read: the previous ones stay in use';
  await until(() => log.some(({ message }) => message === stayed), 'the trouble');
  await write({ metrics: { training_loss: 2 } });
  await receiver.waitFor(() => losses(receiver).includes(2), 'the second, on the old connection');
  put({ 'tls.crt': cert });
  await until(() => log.some(({ message }) => message === 'Credentials can be read again'), 'the end of it');
  await write({ metrics: { training_loss: 3 } });
  await receiver.waitFor(() => losses(receiver).includes(3), 'the third');
  expect(log.filter(({ message }) => message === stayed)).toHaveLength(1);
});

it('a token in a file is the one of now in each request', async () => {
  const file = join(temporaryFolder(), 'headers');
  replaceFile(file, 'authorization=Bearer one\n');
  const { receiver, write } = await startBridge({
    environment: { OTEL_METRIC_EXPORT_INTERVAL: '20', OTEL_EXPORTER_OTLP_METRICS_HEADERS_FILE: file },
  });
  const sentWith = (token: string) =>
    receiver.requests.some(({ headers }) => headers.authorization === `Bearer ${token}`);
  await write({});
  await receiver.waitFor(() => sentWith('one'), 'the first token');
  replaceFile(file, 'authorization=Bearer two\n');
  await receiver.waitFor(() => sentWith('two'), 'the second token');
  expect(receiver.requests.at(-1)?.headers.authorization).toBe('Bearer two');
});
