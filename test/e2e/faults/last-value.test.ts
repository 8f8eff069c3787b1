import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleText, replaceFile, temporaryFolder } from '../../support/file.ts';
import { startProcess } from '../../support/process.ts';
import { startBackend, untilStored } from './backend.ts';

const ends = 100;

it(`the value written just before SIGTERM is in Prometheus, ${ends} times of ${ends}, every other time through a Collector that restarts meanwhile`, {
  timeout: 400_000,
}, async () => {
  const backend = await startBackend();
  const write = (file: string, job: string, loss: number) =>
    replaceFile(file, exampleText({ job: { job_id: job }, metrics: { training_loss: loss } }));
  for (let end = 0; end < ends; end++) {
    const job = `job-${end}`;
    const selector = `ml_training_loss{job_id="${job}"}`;
    const file = join(temporaryFolder(), 'current.json');
    write(file, job, 1);
    const bridge = startProcess({
      environment: {
        METRICS_FILE_PATH: file,
        // The last value is never found by a poll, only by the last look.
        COLLECTION_INTERVAL: '3600',
        SHUTDOWN_TIMEOUT: '30',
        OTEL_EXPORTER_OTLP_ENDPOINT: backend.endpoint,
      },
    });
    await untilStored(backend, selector, 1);
    const restarts = end % 2 === 1;
    if (restarts) await backend.kill();
    write(file, job, 2);
    bridge.child.kill('SIGTERM');
    if (restarts) await backend.start();
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
    const stored = (await backend.stored(selector)).flatMap(({ samples }) => samples);
    expect(stored.at(-1)?.value, `the last value of ${job}`).toBe(2);
  }
});
