import { hostname } from 'node:os';
import pg from 'pg';
import { jobsIn } from './jobs.ts';
import { kubectlCreate } from './kubectl.ts';
import { queueIn } from './queue.ts';
import { connectRedis } from './redis.ts';
import { exitWithSpans, stopSignal } from './serve.ts';
import { databaseUrl, redisUrl } from './settings.ts';
import { runWorker } from './worker.ts';

const jobs = jobsIn(new pg.Pool({ connectionString: databaseUrl }));
const queue = queueIn(await connectRedis(redisUrl));
console.log('waiting for trainings');
await runWorker({ jobs, queue, create: kubectlCreate, consumer: hostname() }, stopSignal());
await exitWithSpans();
