import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import type { Express } from 'express';
import pg from 'pg';
import { platformApi } from '../../src/app.ts';
import { jobsIn } from '../../src/jobs.ts';
import { queueIn } from '../../src/queue.ts';
import { connectRedis } from '../../src/redis.ts';
import { modelRegistry } from '../../src/registry.ts';
import { runWorker } from '../../src/worker.ts';
import { startRedisServer } from './redis-server.ts';

async function listening(app: Express) {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => server.close().closeAllConnections(),
  };
}

/** A message that was not acknowledged is delivered again after this. */
const redeliverAfterMs = 200;

/** A queue on a connection of its own. */
async function connectQueue(url: string) {
  const redis = await connectRedis(url);
  return { ...queueIn(redis, redeliverAfterMs), close: () => redis.destroy() };
}

/** API, worker and registry, with a real Redis, and a real Postgres that is compiled to WebAssembly. */
export async function startPlatform() {
  const database = await PGlite.create();
  const postgres = new PGLiteSocketServer({ db: database, port: 0, maxConnections: 10 });
  await postgres.start();
  const pool = new pg.Pool({ connectionString: `postgres://postgres@${postgres.getServerConn()}/postgres` });
  const jobs = jobsIn(pool);
  await jobs.prepare();
  const [redis, gone] = await Promise.all([startRedisServer(), startRedisServer()]);
  const [queue, lostQueue] = await Promise.all([connectQueue(redis.url), connectQueue(gone.url)]);
  await gone.stop();
  const registry = await listening(modelRegistry());
  const away = await listening(modelRegistry());
  away.stop();
  const api = await listening(platformApi({ jobs, queue, registry: registry.address }));
  const withoutRegistry = await listening(platformApi({ jobs, queue, registry: away.address }));
  const withoutQueue = await listening(platformApi({ jobs, queue: lostQueue, registry: registry.address }));

  const cluster: Cluster = { created: [], refuses: undefined };
  const create = async (manifest: object) => {
    if (cluster.refuses !== undefined) throw new Error(cluster.refuses);
    cluster.created.push(manifest as JobManifest);
  };
  const startWorker = async (): Promise<() => Promise<void>> => {
    const own = await connectQueue(redis.url);
    const stop = new AbortController();
    const ended = runWorker({ jobs, queue: own, create, consumer: 'worker' }, stop.signal);
    return async () => {
      stop.abort();
      await ended;
      own.close();
    };
  };
  return {
    address: api.address,
    /** Of an API whose registry does not answer. */
    withoutRegistry: withoutRegistry.address,
    /** Of an API whose Redis is gone. */
    withoutQueue: withoutQueue.address,
    cluster,
    queue,
    /** Returns what stops it. */
    startWorker,
    stop: async () => {
      for (const { stop } of [api, withoutRegistry, withoutQueue, registry]) stop();
      for (const one of [queue, lostQueue]) one.close();
      await redis.stop();
      await pool.end();
      await postgres.stop();
      await database.close();
    },
  };
}

/** In the place of a cluster. */
interface Cluster {
  readonly created: JobManifest[];
  refuses: string | undefined;
}

export interface JobManifest {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly { readonly env: readonly object[] }[] };
    };
  };
}
