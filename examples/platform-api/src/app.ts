import { trace } from '@opentelemetry/api';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Jobs } from './jobs.ts';
import type { Queue } from './queue.ts';
import { findModel } from './registry.ts';

export interface Parts {
  readonly jobs: Jobs;
  readonly queue: Queue;
  /** Address of the model registry. */
  readonly registry: string;
}

/** The API that accepts training jobs and puts them into the queue. */
export function platformApi({ jobs, queue, registry }: Parts): Express {
  const app = express();
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/readyz', async (_request, response) => {
    await Promise.all([jobs.ping(), queue.ping()]);
    response.json({ status: 'ok' });
  });
  app.get('/training/jobs/:name', async (request, response) => {
    const job = await jobs.find(request.params.name);
    if (job === undefined) refuse(response, 404, 'there is no such job');
    else response.json(job);
  });
  app.post('/training/jobs', express.json(), async (request, response) => {
    const { name, model: wanted } = (request.body ?? {}) as Record<string, unknown>;
    if (!isName(name)) return refuse(response, 400, 'name: expected lower case letters, digits and dashes');
    if (typeof wanted !== 'string') return refuse(response, 400, 'model: expected the name of a model');
    const model = await findModel(registry, wanted);
    if (model === undefined) return refuse(response, 422, `there is no model ${wanted}`);
    if (!(await jobs.add({ name, model: model.name })))
      return refuse(response, 409, `${name} is there already`);
    try {
      await queue.add({ name, model });
    } catch {
      await jobs.set(name, 'failed');
      return refuse(response, 503, 'the queue is not available');
    }
    return void response.status(202).json({ name, model: model.name, traceId: activeTraceId() });
  });
  app.use(failed);
  return app;
}

/** Express recognizes an error handler by its four parameters. */
function failed(
  error: Error & { status?: number },
  _request: Request,
  response: Response,
  _next: NextFunction,
) {
  const { status = 500, message } = error;
  if (status >= 500) trace.getActiveSpan()?.recordException(error);
  refuse(response, status, status >= 500 ? 'something went wrong; the trace says what' : message);
}

/** Whether Kubernetes accepts it as the name of a Job: RFC 1123, at most 63 characters. */
const isName = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value);

const refuse = (response: Response, status: number, error: string): void =>
  void response.status(status).json({ error });

/** For the response, so that users can find the trace of their job. */
const activeTraceId = () => trace.getActiveSpan()?.spanContext().traceId;
