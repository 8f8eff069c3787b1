import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import type { Express } from 'express';
import pg from 'pg';
import { platformApi } from '../../src/app.ts';
import { jobsIn } from '../../src/jobs.ts';
import { modelRegistry } from '../../src/registry.ts';

async function listening(app: Express) {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => server.close().closeAllConnections(),
  };
}

/** The API and the registry over HTTP, with a real Postgres, compiled to WebAssembly, behind its own protocol. */
export async function startPlatform() {
  const database = await PGlite.create();
  const postgres = new PGLiteSocketServer({ db: database, port: 0, maxConnections: 10 });
  await postgres.start();
  const pool = new pg.Pool({ connectionString: `postgres://postgres@${postgres.getServerConn()}/postgres` });
  const jobs = jobsIn(pool);
  await jobs.prepare();
  const registry = await listening(modelRegistry());
  const cluster: Cluster = { created: [], refuses: undefined };
  const create = async (manifest: object) => {
    if (cluster.refuses !== undefined) throw new Error(cluster.refuses);
    cluster.created.push(manifest as JobManifest);
  };
  const api = await listening(platformApi({ jobs, registry: registry.address, create }));
  const gone = await listening(modelRegistry());
  gone.stop();
  const lonely = await listening(platformApi({ jobs, registry: gone.address, create }));
  return {
    address: api.address,
    /** Of an API whose registry does not answer. */
    withoutRegistry: lonely.address,
    cluster,
    stop: async () => {
      api.stop();
      lonely.stop();
      registry.stop();
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
