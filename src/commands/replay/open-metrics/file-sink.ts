import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { describeError } from '../../../otlp/classify-response.ts';
import type { Sink, SinkResult } from '../sink.ts';
import { metricNumbers } from './samples.ts';
import { createSpool } from './spool.ts';

export interface FileSinkOptions {
  /** `-` is standard output. */
  readonly path: string;
  readonly stdout: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

/** Writes OpenMetrics text, which `promtool tsdb create-blocks-from openmetrics` imports. A file is replaced when it is complete. */
export async function createFileSink({ path, stdout, signal }: FileSinkOptions): Promise<Sink> {
  const spool = await createSpool();
  const partial = `${path}.partial`;

  function add({ resource, scopeMetrics }: ResourceMetrics): void {
    for (const metric of scopeMetrics.flatMap(({ metrics }) => metrics))
      for (const point of metricNumbers(metric, resource)) spool.add(point);
  }

  async function write(): Promise<void> {
    const text = Readable.from(spool.text());
    if (path === '-') return pipeline(text, stdout, { signal, end: false });
    await pipeline(text, createWriteStream(partial), { signal });
    await rename(partial, path);
  }

  async function attempt(work: () => Promise<void>): Promise<SinkResult> {
    try {
      await work();
      return { status: 'ok' };
    } catch (error) {
      if (signal.aborted) return { status: 'stopped' };
      return { status: 'failed', reason: `${path} cannot be written: ${describeError(error)}` };
    }
  }

  return {
    add({ metrics }) {
      for (const data of metrics) add(data);
      return attempt(spool.relieve);
    },
    finish: () => attempt(write),
    outcome: (result) =>
      result === 'complete'
        ? `${path === '-' ? 'All points are' : `${path} is`} written. To import: promtool tsdb create-blocks-from openmetrics FILE DATA_FOLDER`
        : `${path === '-' ? 'The output' : path} was not written.`,
    async close() {
      await spool.close();
      if (path !== '-') await rm(partial, { force: true }).catch(() => undefined);
    },
  };
}
