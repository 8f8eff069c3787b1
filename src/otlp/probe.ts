import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { deferred } from '../common/timing.ts';
import type { Credentials } from './credentials.ts';
import { ownCertificateRefused, plaintextToTls, type Trouble, tlsTrouble } from './tls-trouble.ts';

export interface Address {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
}

/** Where to connect to, in turn: the parts of a target as `readEndpoint` makes them. */
export function addressesIn(target: string): readonly [Address, ...Address[]] {
  const [, path] = /^unix:\/\/(.*)$/.exec(target) ?? [];
  if (path !== undefined) return [{ path }];
  const [first = '', ...others] = target.replace(/^ipv[46]:/, '').split(',');
  return [placeOf(first), ...others.map(placeOf)];
}

function placeOf(address: string): Address {
  const separator = address.lastIndexOf(':');
  const host = address.slice(0, separator).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(separator + 1)) };
}

/** A socket that shakes hands with the Collector as the bridge does. */
export function startHandshake(place: Address, tls: NonNullable<Credentials['tls']>): TLSSocket {
  return connectTls({
    ...place,
    ...(place.host === undefined || isIP(place.host) !== 0 ? {} : { servername: place.host }),
    ALPNProtocols: ['h2'],
    ...(tls.ca && { ca: tls.ca }),
    ...(tls.key && { key: tls.key }),
    ...(tls.cert && { cert: tls.cert }),
  });
}

/** Whether the port would shake hands, whatever its certificate: then plaintext is what is wrong. */
async function answersTls(place: Address, timeoutMs: number): Promise<boolean> {
  const socket = connectTls({ ...place, rejectUnauthorized: false });
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
): Promise<Trouble | undefined> {
  const [place] = addressesIn(target);
  if (tls === undefined) return (await answersTls(place, timeoutMs)) ? plaintextToTls : undefined;
  const socket = startHandshake(place, tls);
  let shookHands = false;
  socket.once('secureConnect', () => {
    shookHands = true;
  });
  try {
    // A server that is content begins to speak HTTP/2.
    await settled(socket, 'data', timeoutMs);
    return undefined;
  } catch (error) {
    const trouble = tlsTrouble((error as Error).message);
    return trouble ?? (shookHands && tls.cert !== null ? ownCertificateRefused(tls.cert) : undefined);
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
