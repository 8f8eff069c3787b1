import { existsSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startBridge } from '../support/bridge.ts';
import { startDeliveringProcess } from '../support/delivering-process.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';

const dayMs = 86_400_000;

it('a file that is replaced thousands of times without a pause is read whole each time, and counts never fall', {
  timeout: 60_000,
}, async () => {
  // In memory where there is such a volume: as fast as a file can be replaced.
  const file = join(temporaryFolder(existsSync('/dev/shm') ? '/dev/shm' : undefined), 'current.json');
  const { receiver, polls, stop, log } = await startBridge({ file });
  const text = exampleText({ metrics: { training_loss: 987654, batch_number: 987654 } });
  const done = new Int32Array(new SharedArrayBuffer(4));
  const writer = new Worker(
    `const { renameSync, writeFileSync } = require('node:fs');
     const { parentPort, workerData: { file, text, done } } = require('node:worker_threads');
     let step = 0;
     while (step < 5000 || Atomics.load(done, 0) === 0) {
       step += 1;
       writeFileSync(file + '.next', text.replaceAll('987654', String(step)));
       renameSync(file + '.next', file);
     }
     parentPort.postMessage(step);
`,
    { eval: true, workerData: { file, text, done } },
  );
  const written = new Promise<number>((resolve, reject) =>
    writer.once('message', resolve).once('error', reject),
  );
  const read = () =>
    polls.flatMap(({ outcome }) =>
      outcome.status === 'ok' ? outcome.snapshots.map(({ snapshot }) => snapshot.values) : [],
    );
  try {
    await until(() => read().length >= 50, 'fifty snapshots while it is replaced');
  } finally {
    Atomics.store(done, 0, 1);
  }
  const last = await written;
  expect(await stop()).toMatchObject({ runs: 1, undelivered: 0 });
  expect(last).toBeGreaterThanOrEqual(5000);
  expect(polls.filter(({ outcome }) => outcome.status === 'malformed')).toEqual([]);
  // Both were written together, so one that was half of one write and half of another would show.
  expect(read().filter((it) => it.training_loss !== it.batch_number)).toEqual([]);
  const batches = receiver.points('ml.training.batch_number').map(({ value }) => Number(value));
  expect(batches).toEqual(batches.toSorted((a, b) => a - b));
  const losses = receiver.points('ml.training.loss').map(({ value }) => value);
  expect(new Set(losses)).toEqual(new Set(read().map(({ training_loss }) => training_loss)));
  expect(losses.at(-1)).toBe(last);
  expect(log.filter(({ level }) => level === 'error')).toEqual([]);
});

it('ten thousand fields of their own make as many series as are allowed, the others are counted', async () => {
  const { receiver, write, log, stop } = await startBridge();
  for (let round = 0; round < 10; round++) {
    const fields = Array.from({ length: 1000 }, (_, index) => [`own_${round}_${index}`, index]);
    await write({ metrics: { training_loss: round, ...Object.fromEntries(fields) } });
  }
  await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 9, 'the last');
  const names = new Set(receiver.requests.flatMap(({ points }) => points.map(({ metric }) => metric)));
  expect([...names].filter((name) => name.startsWith('ml.training.own_'))).toHaveLength(50);
  const skipped = () =>
    receiver.points('ml.bridge.fields_skipped').filter(({ attributes }) => attributes.reason === 'too_many');
  await stop();
  expect(skipped().at(-1)?.value).toBe(10_000 - 50);
  expect(log.filter(({ level }) => level === 'warn').length).toBeLessThan(10);
});

it('a file server whose clock is an hour behind makes no value stale', async () => {
  const { file, receiver, polled } = await startBridge();
  await polled(1);
  const written = [1, 2, 3];
  for (const step of written) {
    writeFileSync(`${file}.next`, exampleText({ metrics: { training_loss: step, batch_number: step } }));
    const hourAgo = Date.now() / 1000 - 3_600;
    utimesSync(`${file}.next`, hourAgo, hourAgo);
    renameSync(`${file}.next`, file);
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === step, `loss ${step}`);
  }
  expect(receiver.points('ml.bridge.file.age').filter(({ value }) => value > 300)).toEqual([]);
});

it.each([
  ['start_time', (step: number) => ({ start_time: 1_761_214_500 + step })],
  ['job_id', (step: number) => ({ job_id: `job-${step}` })],
  ['job_id and start_time', (step: number) => ({ job_id: `job-${step}`, start_time: 1_761_214_500 + step })],
])('another %s with every write makes one run and one error line, and few series', async (fields, jobOf) => {
  const { receiver, file, bridge } = await startDeliveringProcess({
    environment: { COLLECTION_INTERVAL: '0.01' },
  });
  for (let step = 1; step <= 40; step++) {
    const metrics = { epoch: 1, batch_number: step, training_loss: step };
    replaceFile(file, exampleText({ job: jobOf(step), metrics }));
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === step, `loss ${step}`);
  }
  bridge.child.kill('SIGTERM');
  expect(await bridge.ended).toEqual({ code: 0, signal: null });
  const errors = bridge.log.filter(({ level }) => level === 'error');
  expect(errors.map(({ message }) => message)).toEqual([
    `Every write of the metrics file has another ${fields}: one run goes on with the first; write the same ${fields} for the whole run`,
  ]);
  expect(bridge.log.filter(({ message }) => message === 'Training run began')).toHaveLength(5);
  const jobs = receiver.points('ml.training.loss').map(({ attributes }) => attributes['job.id']);
  expect(new Set(jobs).size).toBeLessThanOrEqual(5);
  // The fifth run has all snapshots from its own on.
  expect(receiver.points('ml.training.processing_time').at(-1)?.count).toBe(36);
});

it('a job_id of a megabyte (as it is written) with control characters is left out and said, and the numbers arrive', async () => {
  const { receiver, write, log } = await startBridge();
  await write({ job: { job_id: '\u0000\u001b[31m'.repeat(65_000) }, metrics: { training_loss: 7 } });
  await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 7, 'the loss');
  expect(receiver.points('ml.training.loss').at(-1)?.attributes).not.toHaveProperty(['job.id']);
  expect(Math.max(...receiver.requests.map(({ bytes }) => bytes))).toBeLessThan(64 * 1024);
  const lines = log.map((line) => JSON.stringify(line));
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(4096);
  expect(lines.some((line) => line.includes('job_id'))).toBe(true);
});

it.each([
  ['forward', dayMs],
  ['back', -dayMs],
])(
  'a clock that is set a day %s makes nothing stale, stops no poll and begins no run',
  async (_way, jumpMs) => {
    const { file, receiver, polled, stop } = await startBridge({
      environment: { OTEL_METRIC_EXPORT_INTERVAL: '50' },
    });
    const write = (step: number) => {
      replaceFile(file, exampleText({ metrics: { training_loss: step, batch_number: step } }));
      // The file system's clock jumps with the others.
      utimesSync(file, Date.now() / 1000, Date.now() / 1000);
    };
    const arrived = (step: number) =>
      receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === step, `loss ${step}`);
    write(1);
    await arrived(1);
    const realNow = Date.now;
    const jump = vi.spyOn(Date, 'now').mockImplementation(() => realNow() + jumpMs);
    onTestFinished(() => jump.mockRestore());
    await polled(20);
    for (const step of [2, 3, 4]) {
      write(step);
      await arrived(step);
    }
    const ages = receiver.points('ml.bridge.file.age').map(({ value }) => Number(value));
    expect(ages.filter((age) => age < 0 || age > 300)).toEqual([]);
    expect(receiver.points('ml.training.batch_number').at(-1)?.value).toBe(4);
    expect(await stop()).toMatchObject({ snapshots: 4, runs: 1, undelivered: 0 });
  },
);
