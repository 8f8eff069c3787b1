import pg from 'pg';
import { platformApi } from './app.ts';
import { jobsIn } from './jobs.ts';
import { queueIn } from './queue.ts';
import { connectRedis } from './redis.ts';
import { serve } from './serve.ts';
import { databaseUrl, redisUrl, registryUrl } from './settings.ts';

const jobs = jobsIn(new pg.Pool({ connectionString: databaseUrl }));
await jobs.prepare();
const queue = queueIn(await connectRedis(redisUrl));
await serve(platformApi({ jobs, queue, registry: registryUrl }), Number(process.env.PORT ?? '8080'));
