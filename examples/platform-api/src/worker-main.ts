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
const parts = { jobs, queue, create: kubectlCreate, consumer: hostname() };
const exitCode = await runWorker(parts, stopSignal()).then(
  () => 0,
  ({ message }: Error) => {
    console.error(message);
    return 1;
  },
);
await exitWithSpans(exitCode);
