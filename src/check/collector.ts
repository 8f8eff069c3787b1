import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { emptyResource } from '@opentelemetry/resources';
import type { Config } from '../config.ts';
import { encodeMetrics } from '../otlp/collection.ts';
import { connectionFactory } from '../otlp/connection.ts';
import { deferred } from '../timing.ts';
import { adviseOnDns, adviseOnOtlp, adviseOnTcp, adviseOnTls, type Trouble } from './collector-advice.ts';

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
  const tries: readonly (readonly [StepName, () => Promise<StepResult>])[] = [
    ['name', () => resolveName(config)],
    ['connection', () => openConnection(config)],
    ['TLS', () => shakeHands(config)],
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

/** Where to connect to: the parts of a target as `readEndpoint` makes them. */
function placeOf({ endpoint: { target } }: Config): { host?: string; port?: number; path?: string } {
  const [, path] = /^unix:\/\/(.*)$/.exec(target) ?? [];
  if (path !== undefined) return { path };
  const separator = target.lastIndexOf(':');
  const host = target.slice(0, separator).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(target.slice(separator + 1)) };
}

const succeeded = (detail: string): StepResult => ({ status: 'ok', detail });
const failedWith = ({ detail, advice }: Trouble): StepResult => ({ status: 'failed', detail, advice });

async function resolveName(config: Config): Promise<StepResult> {
  const { host } = placeOf(config);
  if (host === undefined) return { status: 'not_needed', detail: 'a Unix socket has none to look up' };
  if (isIP(host.replace(/%.*$/, '')) !== 0) return { status: 'not_needed', detail: `${host} is an address` };
  try {
    const found = await withDeadline(config.timeoutMs, lookup(host, { all: true }));
    return succeeded(`${host} is ${found.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    return failedWith(adviseOnDns(host, error as NodeJS.ErrnoException));
  }
}

async function openConnection(config: Config): Promise<StepResult> {
  const started = performance.now();
  const socket: Socket = connectTcp(placeOf(config) as NetConnectOpts);
  try {
    await settled(socket, 'connect', config.timeoutMs);
    const where =
      socket.remoteAddress === undefined
        ? config.endpoint.target
        : `${socket.remoteAddress} port ${socket.remotePort}`;
    return succeeded(`${where} answers in ${Math.max(1, Math.round(performance.now() - started))} ms`);
  } catch (error) {
    return failedWith(adviseOnTcp(config.endpoint.target, error as NodeJS.ErrnoException));
  } finally {
    socket.destroy();
  }
}

async function shakeHands(config: Config): Promise<StepResult> {
  if (config.endpoint.transport === 'plaintext') return { status: 'not_needed', detail: 'plaintext' };
  let socket: TLSSocket | undefined;
  try {
    const { host } = placeOf(config);
    const options: ConnectionOptions = {
      ...placeOf(config),
      ...(host === undefined || isIP(host) !== 0 ? {} : { servername: host }),
      ALPNProtocols: ['h2'],
      ...(config.certificate === undefined ? {} : { ca: readFileSync(config.certificate) }),
      ...(config.clientKey === undefined ? {} : { key: readFileSync(config.clientKey) }),
      ...(config.clientCertificate === undefined ? {} : { cert: readFileSync(config.clientCertificate) }),
    };
    socket = connectTls(options);
    await settled(socket, 'secureConnect', config.timeoutMs);
    const { subject, valid_to: until } = socket.getPeerCertificate();
    const name = subject?.CN === undefined ? '' : ` for ${subject.CN}`;
    return succeeded(`${socket.getProtocol()}, certificate${name} valid until ${until}`);
  } catch (error) {
    return failedWith(adviseOnTls(config, error as NodeJS.ErrnoException));
  } finally {
    socket?.destroy();
  }
}

/** An ExportMetricsServiceRequest without a metric, on a connection like the bridge's own. */
async function sendNothing(config: Config, version: string): Promise<StepResult> {
  const connection = connectionFactory(config, version)();
  try {
    const started = performance.now();
    const answer = await connection.export(encodeMetrics({ resource: emptyResource(), scopeMetrics: [] }));
    if (answer.status === 'ok')
      return succeeded(
        `an empty export is accepted in ${Math.max(1, Math.round(performance.now() - started))} ms`,
      );
    const speaksTls = config.endpoint.transport === 'plaintext' && (await answersTls(config));
    return failedWith(adviseOnOtlp(config, answer.error, speaksTls));
  } finally {
    connection.close();
  }
}

/** Whether the port would shake hands, whatever its certificate: then plaintext is what is wrong. */
async function answersTls(config: Config): Promise<boolean> {
  const socket = connectTls({ ...placeOf(config), rejectUnauthorized: false });
  try {
    await settled(socket, 'secureConnect', Math.min(config.timeoutMs, 2_000));
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function settled(socket: Socket, event: string, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = deferred<void>();
  socket.once(event, () => resolve());
  socket.on('error', reject);
  socket.once('close', () =>
    reject(Object.assign(new Error('the connection was closed'), { code: 'CLOSED' })),
  );
  return withDeadline(timeoutMs, promise);
}

async function withDeadline<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = deferred<never>();
  const timer = setTimeout(
    () => reject(Object.assign(new Error(`no answer in ${ms / 1000} s`), { code: 'ETIMEDOUT' })),
    ms,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
