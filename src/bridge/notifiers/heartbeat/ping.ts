import { lookup as systemLookup } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { type HeartbeatConfig, parseHeartbeatUrl } from '../../../config/heartbeat.ts';
import type { HeartbeatSignal } from './signals.ts';

/** Reasons never contain the address, its host or a header, because the address is a secret. */
export type PingResult =
  | { readonly status: 'ok' }
  /** It may work later. */
  | { readonly status: 'failed'; readonly reason: string }
  /** The same request would be answered the same way. */
  | { readonly status: 'rejected'; readonly httpStatus: number; readonly reason: string };

/** Sends one signal. Rejects never; resolves at the latest when the signal of abort fires. */
export type Ping = (signal: HeartbeatSignal, abort: AbortSignal) => Promise<PingResult>;

const suffixes = { start: '/start', beat: '', success: '', fail: '/fail' } as const satisfies Record<
  HeartbeatSignal['kind'],
  string
>;

/**
 * Sends signals with node:http, because fetch needs WebAssembly, which the image turns off. Redirects are not followed:
 * the address is a secret that only its own host may know.
 */
export function createPing(
  { source, proxyEnvironment }: HeartbeatConfig,
  userAgent: string,
  lookupName: LookupFunction = systemLookup,
): Ping {
  const lookup = oneAtATime(lookupName);

  function send(address: URL, signal: HeartbeatSignal, abort: AbortSignal): Promise<PingResult> {
    const isSecure = address.protocol === 'https:';
    // Here, because an invalid proxy address makes the constructor throw.
    const agent = endingWith(abort, new (isSecure ? HttpsAgent : HttpAgent)({ proxyEnv: proxyEnvironment }));
    const request = isSecure ? httpsRequest : httpRequest;
    const body = signal.kind === 'fail' ? signal.reason : undefined;
    const headers = {
      'user-agent': userAgent,
      ...(body === undefined ? {} : { 'content-type': 'text/plain; charset=utf-8' }),
    };
    const method = body === undefined ? 'GET' : 'POST';
    return new Promise((resolve, reject) => {
      const sent = request(address, { method, headers, agent, lookup, signal: abort }, (response) => {
        // The answer's content does not matter, and may be endless.
        response.destroy();
        resolve(resultOf(response.statusCode ?? 0));
      });
      sent.on('error', reject);
      // While a proxy opens the tunnel, and after an answer that upgrades the connection, the request itself reports nothing.
      abort.addEventListener('abort', reject, { once: true });
      sent.end(body);
    });
  }

  return async (signal, abort) => {
    try {
      const url = source.kind === 'url' ? source.url : await urlFromFile(source.path, abort);
      if (url === undefined)
        return { status: 'failed', reason: 'HEARTBEAT_URL_FILE contains no valid address' };
      return await send(addressOf(url, signal.kind), signal, abort);
    } catch (error) {
      return { status: 'failed', reason: reasonOf(error as NodeJS.ErrnoException, abort) };
    }
  };
}

/**
 * Looks a name up once for all that wait for it. If the name server does not answer, a lookup outlives its request by up to a
 * minute. Node has two threads for lookups, and the Collector needs one.
 */
function oneAtATime(lookupName: LookupFunction): LookupFunction {
  const waiting = new Map<string, Parameters<LookupFunction>[2][]>();
  return (host, options, callback) => {
    const key = JSON.stringify([host, options]);
    const callbacks = waiting.get(key);
    if (callbacks !== undefined) return void callbacks.push(callback);
    waiting.set(key, [callback]);
    lookupName(host, options, (...result) => {
      const answered = waiting.get(key) ?? [];
      waiting.delete(key);
      for (const answer of answered) answer(...result);
    });
  };
}

/** Closes the connections of an agent with the signal. A request does not close the one on which a proxy opens a tunnel. */
function endingWith<T extends HttpAgent>(abort: AbortSignal, agent: T): T {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...parameters) => {
    const socket = connect(...parameters);
    abort.addEventListener('abort', () => socket?.destroy(), { once: true });
    return socket;
  };
  return agent;
}

async function urlFromFile(path: string, abort: AbortSignal): Promise<string | undefined> {
  const content = await readFile(path, { encoding: 'utf8', signal: abort });
  const parsed = parseHeartbeatUrl(content.trim());
  return parsed.status === 'ok' ? parsed.value : undefined;
}

function addressOf(url: string, kind: HeartbeatSignal['kind']): URL {
  const address = new URL(url);
  const suffix = suffixes[kind];
  if (suffix !== '') address.pathname = address.pathname.replace(/\/$/, '') + suffix;
  return address;
}

function resultOf(httpStatus: number): PingResult {
  if (httpStatus >= 200 && httpStatus < 300) return { status: 'ok' };
  const isTemporary = httpStatus >= 500 || httpStatus === 408 || httpStatus === 429;
  if (isTemporary) return { status: 'failed', reason: `HTTP status ${httpStatus}` };
  const note = httpStatus >= 300 && httpStatus < 400 ? ': redirects are not followed' : '';
  return { status: 'rejected', httpStatus, reason: `HTTP status ${httpStatus}${note}` };
}

/** The message of an error often names the host, its code never does. */
function reasonOf({ code, syscall }: NodeJS.ErrnoException, abort: AbortSignal): string {
  if (abort.aborted) return 'no answer in time';
  const isOfFile = syscall === 'open' || syscall === 'read';
  return `${isOfFile ? 'HEARTBEAT_URL_FILE: ' : ''}${code ?? 'unknown error'}`;
}
