import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, type NetConnectOpts, type Socket } from 'node:net';
import type { Config } from '../../config/bridge.ts';
import { readCredentials } from '../../otlp/credentials.ts';
import { exportersOf } from '../../otlp/exporter.ts';
import { metricsSignal } from '../../otlp/metrics-signal.ts';
import { diagnoseName } from '../../otlp/name-diagnosis.ts';
import { probeCollector } from '../../otlp/probe.ts';
import type { Diagnosis } from '../../otlp/tls-diagnosis.ts';
import {
  type Address,
  addressOf,
  socketEvent,
  startHandshake,
  withDeadline,
} from '../../otlp/tls-handshake.ts';
import { adviseOnFiles, adviseOnOtlp, adviseOnTcp, adviseOnTls } from './collector-advice.ts';

export type StepName = 'name' | 'connection' | 'TLS' | 'OTLP';

export interface StepReport {
  readonly step: StepName;
  readonly status: 'ok' | 'failed' | 'not_needed' | 'not_tried';
  /** The result, or the error. */
  readonly detail: string;
  /** What to do if it failed. */
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

/** Tests the connection to the Collector in the order in which the bridge connects. Steps after a failure are not tried. */
export async function tryCollector(config: Config, version: string): Promise<CollectorReport> {
  const { target, transport } = config.endpoint;
  const steps: StepReport[] = [];
  const address = addressOf(target);
  const tries: readonly (readonly [StepName, () => Promise<StepResult>])[] = [
    ['name', () => resolveName(address, config)],
    ['connection', () => openConnection(address, config)],
    ['TLS', () => handshake(address, config)],
    ['OTLP', () => exportNothing(config, version)],
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
const failedWith = ({ detail, advice }: Diagnosis): StepResult => ({ status: 'failed', detail, advice });

async function resolveName({ host }: Address, config: Config): Promise<StepResult> {
  if (host === undefined) return { status: 'not_needed', detail: 'a Unix socket has no host name' };
  if (isIP(host.replace(/%.*$/, '')) !== 0)
    return { status: 'not_needed', detail: `${host} is an IP address` };
  try {
    const found = await withDeadline(config.timeoutMs, lookup(host, { all: true }));
    return succeeded(`${host} is ${found.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    return failedWith(diagnoseName(host, error as NodeJS.ErrnoException));
  }
}

async function openConnection(address: Address, config: Config): Promise<StepResult> {
  const name = address.path === undefined ? `${address.host}:${address.port}` : config.endpoint.target;
  const started = performance.now();
  const socket: Socket = connectTcp(address as NetConnectOpts);
  try {
    await socketEvent(socket, 'connect', config.timeoutMs);
    const where =
      socket.remoteAddress === undefined ? name : `${socket.remoteAddress} port ${socket.remotePort}`;
    return succeeded(
      `${where} accepts connections, after ${Math.max(1, Math.round(performance.now() - started))} ms`,
    );
  } catch (error) {
    return failedWith(adviseOnTcp(name, error as NodeJS.ErrnoException));
  } finally {
    socket.destroy();
  }
}

async function handshake(address: Address, config: Config): Promise<StepResult> {
  const reading = await readCredentials(config);
  if (reading.status === 'invalid') return failedWith(adviseOnFiles(reading.problems));
  const { tls } = reading.credentials;
  if (tls === undefined) return { status: 'not_needed', detail: 'plaintext' };
  const socket = startHandshake(address, tls);
  try {
    await socketEvent(socket, 'secureConnect', config.timeoutMs);
    const { subject, valid_to: until } = socket.getPeerCertificate();
    const name = subject?.CN === undefined ? '' : ` for ${subject.CN}`;
    return succeeded(`${socket.getProtocol()}, certificate${name} valid until ${until}`);
  } catch (error) {
    return failedWith(adviseOnTls(config, error as NodeJS.ErrnoException));
  } finally {
    socket.destroy();
  }
}

/** Sends an empty export with the same exporter as the bridge. */
async function exportNothing(config: Config, version: string): Promise<StepResult> {
  const started = performance.now();
  const exporter = exportersOf(metricsSignal, { ...config, version, diagnosisMs: config.timeoutMs })();
  const outcome = await probeCollector(exporter);
  if (outcome.status === 'success')
    return succeeded(
      `an empty export was accepted in ${Math.max(1, Math.round(performance.now() - started))} ms`,
    );
  const advice = outcome.status === 'retry' ? outcome.advice : undefined;
  return failedWith(
    advice === undefined ? adviseOnOtlp(config, outcome) : { detail: outcome.reason, advice },
  );
}
