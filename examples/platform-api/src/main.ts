import pg from 'pg';
import { platformApi } from './app.ts';
import { jobsIn } from './jobs.ts';
import { kubectlCreate } from './kubectl.ts';
import { serve } from './serve.ts';

const {
  DATABASE_URL = 'postgres://postgres@localhost:5432/postgres',
  MODEL_REGISTRY_URL = 'http://localhost:8081',
  PORT = '8080',
} = process.env;

const jobs = jobsIn(new pg.Pool({ connectionString: DATABASE_URL }));
await jobs.prepare();
await serve(platformApi({ jobs, registry: MODEL_REGISTRY_URL, create: kubectlCreate }), Number(PORT));
