import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { deferred } from '../common/timing.ts';
import type { Credentials } from './credentials.ts';
import { type Diagnosis, diagnoseTls, ownCertificateRejected, plaintextToTls } from './tls-diagnosis.ts';

export interface Address {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

/** The address to connect to for a target of `readEndpoint`. */
export function addressOf(target: string): Address {
  const [, path] = /^unix:\/\/(.*)$/.exec(target) ?? [];
  if (path !== undefined) return { path };
  const separator = target.lastIndexOf(':');
  const host = target.slice(0, separator).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(target.slice(separator + 1)) };
}

/** Begins a TLS handshake with the same options as the bridge's exporter. */
export function startHandshake(address: Address, tls: NonNullable<Credentials['tls']>): TLSSocket {
  return connectTls({
    ...address,
    ...(address.host === undefined || isIP(address.host) !== 0 ? {} : { servername: address.host }),
    ALPNProtocols: ['h2'],
    ...(tls.ca && { ca: tls.ca }),
    ...(tls.key && { key: tls.key }),
    ...(tls.cert && { cert: tls.cert }),
  });
}

/** Whether the port completes a TLS handshake, with any certificate. */
async function answersTls(address: Address, timeoutMs: number): Promise<boolean> {
  const socket = connectTls({ ...address, rejectUnauthorized: false });
  try {
    await socketEvent(socket, 'secureConnect', timeoutMs);
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Why a port accepts TCP connections and then closes them. The error of gRPC says only that it could not connect. The
 * usual causes are TLS on one side only, and a client certificate that the Collector rejects after the handshake.
 * Resolves to undefined if the cause is another. Never rejects.
 */
export async function explainRefusal(
  target: string,
  { tls }: Credentials,
  timeoutMs: number,
): Promise<Diagnosis | undefined> {
  const address = addressOf(target);
  if (tls === undefined) return (await answersTls(address, timeoutMs)) ? plaintextToTls : undefined;
  const socket = startHandshake(address, tls);
  let isHandshakeDone = false;
  socket.once('secureConnect', () => {
    isHandshakeDone = true;
  });
  try {
    // A server that accepts the connection sends its HTTP/2 settings.
    await socketEvent(socket, 'data', timeoutMs);
    return undefined;
  } catch (error) {
    const diagnosis = diagnoseTls((error as Error).message);
    return diagnosis ?? (isHandshakeDone && tls.cert !== null ? ownCertificateRejected(tls.cert) : undefined);
  } finally {
    socket.destroy();
  }
}

/** Resolves at an event. Rejects with the error of the socket, CLOSED if it closes first, or ETIMEDOUT. */
export function socketEvent(socket: Socket, event: string, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = deferred<void>();
  socket.once(event, () => resolve());
  socket.on('error', reject);
  socket.once('close', () =>
    reject(Object.assign(new Error('the connection was closed'), { code: 'CLOSED' })),
  );
  return withDeadline(timeoutMs, promise);
}

/** Rejects with ETIMEDOUT if a promise takes longer. */
export async function withDeadline<T>(ms: number, promise: Promise<T>): Promise<T> {
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
