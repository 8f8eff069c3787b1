import type { Jobs } from './jobs.ts';
import { type Delivery, type Queue, withDelivery } from './queue.ts';
import { type CreateResource, submitTraining } from './submit.ts';

export interface WorkerParts {
  readonly jobs: Jobs;
  readonly queue: Queue;
  readonly create: CreateResource;
  /** Name of this worker in the queue. */
  readonly consumer: string;
}

/** Submits the trainings in the queue, one after the other, until the signal. Rejects if Redis is unreachable. */
export async function runWorker(parts: WorkerParts, signal: AbortSignal): Promise<void> {
  await parts.queue.prepare();
  while (!signal.aborted) {
    const delivery = await parts.queue.take(parts.consumer);
    if (delivery === undefined) continue;
    await withDelivery(delivery, () => submit(delivery, parts)).catch(({ message }: Error) =>
      console.error(`${delivery.training.name}: ${message}`),
    );
  }
}

/** A message is acknowledged when the database has the result. Otherwise it is delivered again later. */
async function submit(delivery: Delivery, { jobs, queue, create }: WorkerParts): Promise<void> {
  const { id, training } = delivery;
  const refusal = await refusalOf(delivery, create);
  await jobs.set(training.name, refusal === undefined ? 'submitted' : 'failed');
  await queue.acknowledge(id);
  // For the span of the message.
  if (refusal !== undefined) throw refusal;
}

/** Undefined if the cluster has the job. */
async function refusalOf({ training, redelivered }: Delivery, create: CreateResource) {
  try {
    await submitTraining(training, create);
  } catch (error) {
    const isThere = redelivered && /\(AlreadyExists\)/.test((error as Error).message);
    if (!isThere) return error as Error;
  }
  return undefined;
}
