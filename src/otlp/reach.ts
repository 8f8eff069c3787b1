import type { Connection } from './connection.ts';
import { describe, judge } from './outcome.ts';

export type Reach =
  | { readonly status: 'reached' }
  | { readonly status: 'unreachable'; readonly reason: string };

/** An export of nothing, which every Collector answers. One that refuses it is there. Never rejects. */
export async function reach(connection: Connection): Promise<Reach> {
  try {
    const outcome = judge(await connection.export(new Uint8Array()));
    return outcome.status === 'retry'
      ? { status: 'unreachable', reason: outcome.reason }
      : { status: 'reached' };
  } catch (error) {
    return { status: 'unreachable', reason: describe(error) };
  } finally {
    connection.close();
  }
}
