import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { deferred } from '../common/timing.ts';
import type { Credentials } from './credentials.ts';
import { type Diagnosis, diagnoseTls, ownCertificateRefused, plaintextToTls } from './tls-diagnosis.ts';

export interface Address {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

/** Where a target of `readEndpoint` is connected to. */
export function addressOf(target: string): Address {
  const [, path] = /^unix:\/\/(.*)$/.exec(target) ?? [];
  if (path !== undefined) return { path };
  const separator = target.lastIndexOf(':');
  const host = target.slice(0, separator).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(target.slice(separator + 1)) };
}

/** A socket that shakes hands with the Collector as the bridge does. */
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

/** Whether the port would shake hands, whatever its certificate: then plaintext is what is wrong. */
async function answersTls(address: Address, timeoutMs: number): Promise<boolean> {
  const socket = connectTls({ ...address, rejectUnauthorized: false });
  try {
    await settled(socket, 'secureConnect', timeoutMs);
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Why a port that takes connections ends them. gRPC says only that it could not connect where the other side ends the
 * connection after the handshake, as it does when it does not like a certificate of ours, or does not shake hands.
 */
export async function explainRefusal(
  target: string,
  { tls }: Credentials,
  timeoutMs: number,
): Promise<Diagnosis | undefined> {
  const address = addressOf(target);
  if (tls === undefined) return (await answersTls(address, timeoutMs)) ? plaintextToTls : undefined;
  const socket = startHandshake(address, tls);
  let shookHands = false;
  socket.once('secureConnect', () => {
    shookHands = true;
  });
  try {
    // A server that is content begins to speak HTTP/2.
    await settled(socket, 'data', timeoutMs);
    return undefined;
  } catch (error) {
    const diagnosis = diagnoseTls((error as Error).message);
    return diagnosis ?? (shookHands && tls.cert !== null ? ownCertificateRefused(tls.cert) : undefined);
  } finally {
    socket.destroy();
  }
}

/** Resolves at an event, and rejects with what ends the socket before it. */
export function settled(socket: Socket, event: string, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = deferred<void>();
  socket.once(event, () => resolve());
  socket.on('error', reject);
  socket.once('close', () =>
    reject(Object.assign(new Error('the connection was closed'), { code: 'CLOSED' })),
  );
  return withDeadline(timeoutMs, promise);
}

/** Rejects with ETIMEDOUT where a promise takes longer. */
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
