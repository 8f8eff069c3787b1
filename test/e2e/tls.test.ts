import { describe, expect, it, onTestFinished } from 'vitest';
import { tryCollector } from '../../src/commands/check/collector.ts';
import { startBridge } from '../support/bridge.ts';
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts';
import { configOf } from '../support/config.ts';
import { clientEnvironment, clientFiles, secretVolume } from '../support/secret-volume.ts';
import { until } from '../support/until.ts';
import { startCollector } from './collector.ts';

/** The Collector with TLS, which takes clients of one authority alone. */
async function startSecureCollector(authority: Authority, server: Certificate) {
  const tls = 'receivers.otlp.protocols.grpc.tls';
  const collector = await startCollector(undefined, {
    [`${tls}.cert_file`]: server.cert,
    [`${tls}.key_file`]: server.key,
    [`${tls}.client_ca_file`]: authority.cert,
  });
  onTestFinished(() => collector.stop());
  return collector;
}

interface Case {
  readonly ours: Authority;
  readonly theirs: Authority;
}

/** What the bridge is given, and what the Collector has. */
interface Setting {
  readonly server?: Certificate;
  readonly scheme?: 'http';
  readonly trusts?: Authority;
  readonly own?: Certificate;
}

const environmentOf = (endpoint: string, volume: (name: string) => string, scheme = 'https') => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.replace('http://127.0.0.1', `${scheme}://localhost`),
  OTEL_METRIC_EXPORT_INTERVAL: '100',
  SHUTDOWN_TIMEOUT: '0.5',
  ...clientEnvironment(volume),
});

const scraped = async (url: string) => (await fetch(url)).text();

describe('the real Collector with mTLS', () => {
  it('takes what comes with the right certificate, and goes on when that is renewed', async () => {
    const ours = createAuthority();
    const collector = await startSecureCollector(ours, ours.issue('localhost'));
    const volume = secretVolume(clientFiles(ours, ours.issue('bridge', 'expired')));
    const environment = environmentOf(collector.endpoint, volume.path);
    const { write, log, stop } = await startBridge({ environment });
    await write({ metrics: { training_loss: 0.25 } });
    const refusal = await until(() => log.find(({ endpoint }) => endpoint !== undefined), 'the refusal');
    expect(refusal.reason).toMatch(/the certificate of the bridge, which has expired/);
    volume.renew(clientFiles(ours, ours.issue('bridge')));
    await until(
      async () => /^ml_training_loss\{.*\} 0.25/m.test(await scraped(collector.scrapeUrl)),
      'the loss in the Collector',
    );
    volume.renew(clientFiles(ours, ours.issue('bridge')));
    await write({ metrics: { training_loss: 0.125 } });
    await until(
      async () => /^ml_training_loss\{.*\} 0.125/m.test(await scraped(collector.scrapeUrl)),
      'the next loss in the Collector',
    );
    expect(await tryCollector(configOf(environment), '0.0.0')).toMatchObject({ status: 'ok' });
    expect(await stop()).toMatchObject({ undelivered: 0, exports: { rejected: 0, dropped: 0 } });
  });

  it.each<[string, (authorities: Case) => Setting, RegExp]>([
    [
      'its own certificate has expired',
      ({ ours }) => ({ server: ours.issue('localhost', 'expired') }),
      /^the certificate of the Collector has expired$/,
    ],
    [
      'its authority is not the one the bridge knows',
      ({ theirs }) => ({ trusts: theirs }),
      /^the certificate of the Collector is signed by an unknown authority$/,
    ],
    [
      'its name is another',
      ({ ours }) => ({ server: ours.issue('collector.example') }),
      /^the certificate of the Collector is for collector.example, not for localhost$/,
    ],
    ['it is sent plaintext', () => ({ scheme: 'http' }), /^the port uses TLS, but plaintext was sent to it$/],
    [
      'the authority of the bridge is another',
      ({ theirs }) => ({ own: theirs.issue('bridge') }),
      /^the Collector rejects the certificate of the bridge, because it does not know the authority that signed it$/,
    ],
    [
      'the certificate of the bridge has expired',
      ({ ours }) => ({ own: ours.issue('bridge', 'expired') }),
      /the certificate of the bridge, which has expired/,
    ],
  ])('is told by the cause, in the log and by check, where %s', async (_what, make, cause) => {
    const authorities = { ours: createAuthority(), theirs: createAuthority('another') };
    const { ours } = authorities;
    const { server, scheme, trusts = ours, own } = make(authorities);
    const collector = await startSecureCollector(ours, server ?? ours.issue('localhost'));
    const volume = secretVolume(clientFiles(trusts, own ?? ours.issue('bridge')));
    const environment = environmentOf(collector.endpoint, volume.path, scheme);
    const { write, log } = await startBridge({ environment });
    await write({});
    const refusal = await until(() => log.find(({ endpoint }) => endpoint !== undefined), 'the refusal');
    expect(refusal.reason).toMatch(cause);
    const { steps } = await tryCollector(configOf(environment), '0.0.0');
    const failed = steps.find(({ status }) => status === 'failed');
    expect(failed).toMatchObject({ detail: expect.stringMatching(cause), advice: refusal.advice });
  });
});

it('the real Collector without TLS is told by that where the bridge expects it', async () => {
  const ours = createAuthority();
  const collector = await startCollector();
  onTestFinished(() => collector.stop());
  const volume = secretVolume(clientFiles(ours, ours.issue('bridge')));
  const { write, log } = await startBridge({ environment: environmentOf(collector.endpoint, volume.path) });
  await write({});
  const refusal = await until(() => log.find(({ endpoint }) => endpoint !== undefined), 'the refusal');
  expect(refusal.reason).toBe('the response is not TLS');
});
