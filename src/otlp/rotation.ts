import dns from 'node:dns';
import { isIP } from 'node:net';
import { type Address, addressesIn } from './probe.ts';

export interface Target {
  /** A gRPC name. */
  readonly target: string;
  /** The name that TLS and HTTP/2 go by, where the target has addresses in its place. */
  readonly authority?: string;
}

/**
 * A target that begins with another of its addresses at each turn; at turn 0 it is as it was.
 *
 * gRPC takes addresses in their order and stays with the first that connects, so that one which takes connections and
 * answers none would be the first for ever. Its own shuffling leaves two as they are.
 */
export async function turned(target: string, turn: number): Promise<Target> {
  const places = addressesIn(target);
  const [{ host = '', port }] = places;
  if (turn === 0 || port === undefined) return { target };
  const isName = isIP(host.replace(/%.*$/, '')) === 0;
  const all = isName ? await addressesOf(host, port) : places;
  const start = turn % Math.max(1, all.length);
  const inTurn = [...all.slice(start), ...all.slice(0, start)];
  // A list is of one family; gRPC finds the others again by the name.
  const family = isIP(inTurn[0]?.host ?? '');
  const list = inTurn.filter((place) => isIP(place.host ?? '') === family);
  if (list.length < 2) return { target };
  const written = list.map((place) => `${family === 6 ? `[${place.host}]` : place.host}:${place.port}`);
  return { target: `ipv${family}:${written.join(',')}`, ...(isName && { authority: host }) };
}

async function addressesOf(host: string, port: number): Promise<readonly Address[]> {
  const found = await dns.promises.lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => ({ host: address, port }));
}
