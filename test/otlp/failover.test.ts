import dns from 'node:dns';
import { ServerCredentials, status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { tryCollector } from '../../src/commands/check/collector.ts';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { startBridge } from '../support/bridge.ts';
import { createAuthority } from '../support/certificates.ts';
import { configOf } from '../support/config.ts';
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
async function startNamed(name: string, credentials?: ServerCredentials) {
  const first = await start({ ...(credentials && { credentials }) });
  const second = await start({ host: '127.0.0.2', port: first.port, ...(credentials && { credentials }) });
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
  const lookup = vi.spyOn(dns.promises, 'lookup').mockImplementation((async () => addresses) as never);
  onTestFinished(() => lookup.mockRestore());
  return { first, second, endpoint: `dns:///${name}:${first.port}` };
}

const places = {
  'a list of addresses': async () => {
    const [first, second] = [await start(), await start()];
    return { first, second, endpoint: `ipv4:127.0.0.1:${first.port},127.0.0.1:${second.port}` };
  },
  'a name of two addresses': () => startNamed('collectors.example'),
};

describe.each(Object.entries(places))('of %s', (_what, startBoth) => {
  it('one is used, the next where it fails, and never two at a time', async () => {
    const { first, second, endpoint } = await startBoth();
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

  it.each(['hang', 'error'] as const)(
    'the next is used where the first takes connections and gives "%s"',
    async (trouble) => {
      const { first, second, endpoint } = await startBoth();
      first.reply(() =>
        trouble === 'hang' ? { status: 'hang' } : { status: 'error', code: status.UNAVAILABLE },
      );
      const { write } = await startBridge({
        receiver: await start(),
        environment: {
          OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
          OTEL_EXPORTER_OTLP_INSECURE: 'true',
          OTEL_METRIC_EXPORT_INTERVAL: '20',
          OTEL_EXPORTER_OTLP_TIMEOUT: '200',
        },
      });
      for (const loss of [1, 2, 3]) await write({ metrics: { training_loss: loss } });
      await until(() => losses(second).length === 3, 'all three');
      expect(losses(second)).toEqual([1, 2, 3]);
    },
  );
});

it('the next address of a name is held to the name by TLS', async () => {
  const authority = createAuthority();
  const { pair } = authority.issue('collectors.example');
  const credentials = ServerCredentials.createSsl(null, [pair]);
  const { first, second, endpoint } = await startNamed('collectors.example', credentials);
  first.reply(() => ({ status: 'error', code: status.UNAVAILABLE }));
  const { write } = await startBridge({
    receiver: await start(),
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_CERTIFICATE: authority.cert,
      SHUTDOWN_TIMEOUT: '0.3',
    },
  });
  await write({ metrics: { training_loss: 1 } });
  await has(second, 1);
});

it('check names each address that does not answer, and goes on with the one that does', async () => {
  const [gone, there] = [await start(), await start()];
  await gone.stop();
  const endpoint = `ipv4:127.0.0.1:${gone.port},127.0.0.1:${there.port}`;
  const { status: result, steps } = await tryCollector(
    configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_INSECURE: 'true' }),
    '0.0.0',
  );
  expect(result).toBe('ok');
  expect(steps[1]?.detail).toMatch(
    new RegExp(`^127.0.0.1 port ${there.port} answers in .*; nothing listens at 127.0.0.1:${gone.port}$`),
  );
});
