import dns from 'node:dns';
import { ServerCredentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { startBridge } from '../support/bridge.ts';
import { type Authority, createAuthority } from '../support/certificates.ts';
import { until } from '../support/until.ts';

const losses = (receiver: Receiver) => [
  ...new Set(receiver.points('ml.training.loss').map(({ value }) => value)),
];
const has = (receiver: Receiver, loss: number) =>
  receiver.waitFor(() => losses(receiver).includes(loss), `loss ${loss}`);

async function start(options: Parameters<typeof startReceiver>[0] = {}) {
  const receiver = await startReceiver(options);
  onTestFinished(() => receiver.stop());
  return receiver;
}

/** Two receivers on one port, and a name that leads to both; 127.0.0.2 is there on Linux alone. */
async function startNamed(name: string, credentials?: ServerCredentials, ofSecond = credentials) {
  const first = await start({ ...(credentials && { credentials }) });
  const second = await start({
    host: '127.0.0.2',
    port: first.port,
    ...(ofSecond && { credentials: ofSecond }),
  });
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
  const lookup = vi.spyOn(dns.promises, 'lookup').mockImplementation((async () => addresses) as never);
  onTestFinished(() => lookup.mockRestore());
  return { first, second, endpoint: `dns:///${name}:${first.port}` };
}

const startVerifying = async (endpoint: string, { cert }: Authority) =>
  startBridge({
    receiver: await start(),
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_CERTIFICATE: cert,
      SHUTDOWN_TIMEOUT: '0.3',
    },
  });

it('of a name of two addresses one is used, the next where it refuses, and never two at a time', async () => {
  const { first, second, endpoint } = await startNamed('collectors.example');
  const { write, stop } = await startBridge({
    receiver: await start(),
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_INSECURE: 'true',
      OTEL_METRIC_EXPORT_INTERVAL: '20',
    },
  });
  for (const loss of [1, 2, 3]) await write({ metrics: { training_loss: loss } });
  await has(first, 3);
  expect(second.requests).toEqual([]);
  await first.stop();
  for (const loss of [4, 5, 6]) await write({ metrics: { training_loss: loss } });
  await has(second, 6);
  // The first is back, and nothing goes there as long as the second is well.
  const back = await start({ port: first.port });
  for (const loss of [7, 8, 9]) await write({ metrics: { training_loss: loss } });
  await has(second, 9);
  expect(back.requests).toEqual([]);
  expect(
    [...losses(first), ...losses(second)].filter((loss, index, all) => all.indexOf(loss) === index),
  ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await stop()).toMatchObject({ undelivered: 0 });
});

it('the next address of a name is held to the name by TLS', async () => {
  const authority = createAuthority();
  const { pair } = authority.issue('collectors.example');
  const credentials = ServerCredentials.createSsl(null, [pair]);
  const { first, second, endpoint } = await startNamed('collectors.example', credentials);
  await first.stop();
  const { write } = await startVerifying(endpoint, authority);
  await write({ metrics: { training_loss: 1 } });
  await has(second, 1);
});

it('and is not used if its certificate is for another name', async () => {
  const authority = createAuthority();
  const [right, wrong] = ['collectors.example', 'another.example'].map((name) =>
    ServerCredentials.createSsl(null, [authority.issue(name).pair]),
  );
  const { first, second, endpoint } = await startNamed('collectors.example', right, wrong);
  await first.stop();
  const { write, log } = await startVerifying(endpoint, authority);
  await write({ metrics: { training_loss: 1 } });
  const refusal = await until(() => log.find(({ advice }) => advice !== undefined), 'the refusal');
  expect(refusal.reason).toBe(
    'the certificate of the Collector is for another.example, not for collectors.example',
  );
  expect(second.requests).toEqual([]);
});
