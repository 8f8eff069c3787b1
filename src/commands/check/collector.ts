import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { emptyResource } from '@opentelemetry/resources';
import type { Config } from '../../config/bridge.ts';
import { encodeMetrics } from '../../otlp/collection.ts';
import { createConnection, metricsMethod } from '../../otlp/connection.ts';
import { readCredentials } from '../../otlp/credentials.ts';
import { type Address, addressesIn, settled, startHandshake, withDeadline } from '../../otlp/probe.ts';
import type { Trouble } from '../../otlp/tls-trouble.ts';
import { adviseOnDns, adviseOnFiles, adviseOnOtlp, adviseOnTcp, adviseOnTls } from './collector-advice.ts';

export type StepName = 'name' | 'connection' | 'TLS' | 'OTLP';

export interface StepReport {
  readonly step: StepName;
  readonly status: 'ok' | 'failed' | 'not_needed' | 'not_tried';
  /** What was found, or what went wrong. */
  readonly detail: string;
  /** What to do where it failed. */
  readonly advice?: string;
}

export interface CollectorReport {
  readonly status: 'ok' | 'failed';
  /** `host:port`, or a Unix socket. */
  readonly endpoint: string;
  readonly transport: 'plaintext' | 'tls';
  readonly steps: readonly StepReport[];
}

type StepResult = Omit<StepReport, 'step'>;

/** Tries the Collector as the bridge would reach it, one step after the other; what comes after a failure is not tried. */
export async function tryCollector(config: Config, version: string): Promise<CollectorReport> {
  const { target, transport } = config.endpoint;
  const steps: StepReport[] = [];
  const places = addressesIn(target);
  let [place] = places;
  const tries: readonly (readonly [StepName, () => Promise<StepResult>])[] = [
    ['name', () => resolveName(place, config)],
    [
      'connection',
      async () => {
        const found = await openOneOf(places, config);
        place = found.place;
        return found.result;
      },
    ],
    ['TLS', () => shakeHands(place, config)],
    ['OTLP', () => sendNothing(config, version)],
  ];
  let failed = false;
  for (const [step, attempt] of tries) {
    const result: StepResult = failed ? { status: 'not_tried', detail: 'not tried' } : await attempt();
    failed ||= result.status === 'failed';
    steps.push({ step, ...result });
  }
  return { status: failed ? 'failed' : 'ok', endpoint: target, transport, steps };
}

const succeeded = (detail: string): StepResult => ({ status: 'ok', detail });
const failedWith = ({ detail, advice }: Trouble): StepResult => ({ status: 'failed', detail, advice });

async function resolveName({ host }: Address, config: Config): Promise<StepResult> {
  if (host === undefined) return { status: 'not_needed', detail: 'a Unix socket has none to look up' };
  if (isIP(host.replace(/%.*$/, '')) !== 0) return { status: 'not_needed', detail: `${host} is an address` };
  try {
    const found = await withDeadline(config.timeoutMs, lookup(host, { all: true }));
    return succeeded(`${host} is ${found.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    return failedWith(adviseOnDns(host, error as NodeJS.ErrnoException));
  }
}

/** The first place that answers, as the bridge takes it; where none does, the last. */
async function openOneOf(
  places: readonly [Address, ...Address[]],
  config: Config,
): Promise<{ readonly place: Address; readonly result: StepResult }> {
  let [place] = places;
  const failures: StepResult[] = [];
  for (place of places) {
    const result = await openConnection(place, config);
    if (result.status === 'failed') failures.push(result);
    else {
      const before = failures.map(({ detail }) => `; ${detail}`).join('');
      return { place, result: { ...result, detail: `${result.detail}${before}` } };
    }
  }
  const detail = failures.map((failure) => failure.detail).join('; ');
  return { place, result: { status: 'failed', ...failures.at(-1), detail } };
}

async function openConnection(place: Address, config: Config): Promise<StepResult> {
  const name = place.path === undefined ? `${place.host}:${place.port}` : config.endpoint.target;
  const started = performance.now();
  const socket: Socket = connectTcp(place as NetConnectOpts);
  try {
    await settled(socket, 'connect', config.timeoutMs);
    const where =
      socket.remoteAddress === undefined ? name : `${socket.remoteAddress} port ${socket.remotePort}`;
    return succeeded(`${where} answers in ${Math.max(1, Math.round(performance.now() - started))} ms`);
  } catch (error) {
    return failedWith(adviseOnTcp(name, error as NodeJS.ErrnoException));
  } finally {
    socket.destroy();
  }
}

async function shakeHands(place: Address, config: Config): Promise<StepResult> {
  const reading = await readCredentials(config);
  if (reading.status === 'invalid') return failedWith(adviseOnFiles(reading.problems));
  const { tls } = reading.credentials;
  if (tls === undefined) return { status: 'not_needed', detail: 'plaintext' };
  const socket = startHandshake(place, tls);
  try {
    await settled(socket, 'secureConnect', config.timeoutMs);
    const { subject, valid_to: until } = socket.getPeerCertificate();
    const name = subject?.CN === undefined ? '' : ` for ${subject.CN}`;
    return succeeded(`${socket.getProtocol()}, certificate${name} valid until ${until}`);
  } catch (error) {
    return failedWith(adviseOnTls(config, error as NodeJS.ErrnoException));
  } finally {
    socket.destroy();
  }
}

/** An ExportMetricsServiceRequest without a metric, on a connection like the bridge's own. */
async function sendNothing(config: Config, version: string): Promise<StepResult> {
  const connection = createConnection({ ...config, method: metricsMethod, version });
  try {
    const started = performance.now();
    const answer = await connection.export(encodeMetrics({ resource: emptyResource(), scopeMetrics: [] }));
    if (answer.status === 'ok')
      return succeeded(
        `an empty export is accepted in ${Math.max(1, Math.round(performance.now() - started))} ms`,
      );
    return failedWith(answer.trouble ?? adviseOnOtlp(config, answer.error));
  } finally {
    connection.close();
  }
}
