import { readFileSync } from 'node:fs';
import { ServerCredentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { tryCollector } from '../../src/commands/check/collector.ts';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { startBridge } from '../support/bridge.ts';
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts';
import { configOf } from '../support/config.ts';
import { until } from '../support/until.ts';

interface Case {
  /** Plaintext where there is none. */
  readonly server?: Certificate;
  /** Whether the server wants to see a certificate of the bridge's. */
  readonly mutual?: true;
  readonly scheme?: 'http' | 'https';
  readonly trusts?: Authority;
  readonly own?: Certificate;
}

async function environmentOf({ server, mutual, scheme = 'https', trusts, own }: Case, authority: Authority) {
  const receiver = await startReceiver(
    server === undefined
      ? {}
      : {
          credentials: ServerCredentials.createSsl(
            readFileSync(authority.cert),
            [server.pair],
            mutual === true,
          ),
        },
  );
  onTestFinished(() => receiver.stop());
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${scheme}://localhost:${receiver.port}`,
    OTEL_EXPORTER_OTLP_CERTIFICATE: (trusts ?? authority).cert,
    ...(own && {
      OTEL_EXPORTER_OTLP_CLIENT_KEY: own.key,
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: own.cert,
    }),
    SHUTDOWN_TIMEOUT: '0.2',
  };
  return { receiver, environment };
}

it.each<[string, (ours: Authority, theirs: Authority) => Case, RegExp]>([
  [
    'an expired certificate',
    (ours) => ({ server: ours.issue('localhost', 'expired') }),
    /^the certificate of the Collector has expired$/,
  ],
  [
    'one of another authority',
    (ours, theirs) => ({ server: ours.issue('localhost'), trusts: theirs }),
    /^the certificate of the Collector is signed by an unknown authority$/,
  ],
  [
    'one of its own making',
    (_ours, theirs) => ({ server: theirs }),
    /^the certificate of the Collector is self-signed/,
  ],
  [
    'one for another host',
    (ours) => ({ server: ours.issue('collector.example') }),
    /^the certificate of the Collector is for collector.example, not for localhost$/,
  ],
  [
    'TLS where plaintext is sent',
    (ours) => ({ server: ours.issue('localhost'), scheme: 'http' }),
    /^the port uses TLS, but plaintext was sent to it$/,
  ],
  ['plaintext where TLS is sent', () => ({}), /^the response is not TLS$/],
  [
    'a wish for a certificate, where the bridge has none',
    (ours) => ({ server: ours.issue('localhost'), mutual: true }),
    /^the Collector requires a client certificate that it trusts$/,
  ],
  [
    'no trust in the authority of the bridge',
    (ours, theirs) => ({ server: ours.issue('localhost'), mutual: true, own: theirs.issue('bridge') }),
    /^the Collector closes the connection after receiving the certificate of the bridge$/,
  ],
  [
    'no time for the expired certificate of the bridge',
    (ours) => ({ server: ours.issue('localhost'), mutual: true, own: ours.issue('bridge', 'expired') }),
    /^the Collector closes the connection after receiving the certificate of the bridge, which has expired \(/,
  ],
])('a Collector with %s is told by its cause, in the log and by check', async (_what, make, cause) => {
  const ours = createAuthority();
  const { receiver, environment } = await environmentOf(make(ours, createAuthority('another')), ours);
  const { write, log } = await startBridge({ receiver, environment });
  await write({});
  const line = await until(() => log.find(({ endpoint }) => endpoint !== undefined), 'the refusal');
  expect(line).toMatchObject({
    message: 'Collector cannot be reached: snapshots wait and are sent when it is back',
    reason: expect.stringMatching(cause),
    advice: expect.stringMatching(/\.$/),
  });
  const { steps } = await tryCollector(configOf(environment), '0.0.0');
  const failed = steps.find(({ status }) => status === 'failed');
  expect(failed).toMatchObject({ detail: expect.stringMatching(cause), advice: line.advice });
});
