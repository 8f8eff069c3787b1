import { access, readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { simulate } from '../../../src/commands/simulate/simulate.ts';
import { isWhole, metricsFile, noSleep, readText, recorder, settingsFor } from './support.ts';

describe('a simulated run', () => {
  it('writes every step, says completed in the last write alone, and makes the folder', async () => {
    const path = await metricsFile();
    const { writes, onWrite } = recorder();
    const outcome = await simulate(settingsFor(path), { sleep: noSleep, onWrite });
    expect(outcome).toEqual({ status: 'completed', writes: 21 });
    const documents = writes.map(({ content }) => JSON.parse(content));
    expect(documents.map(({ status }) => status)).toEqual([...Array(20).fill('running'), 'completed']);
    expect(documents.map(({ training_metrics }) => training_metrics.global_step)).toEqual([
      ...Array(21).keys(),
    ]);
    expect(new Set(documents.map(({ job_metadata }) => job_metadata.start_time)).size).toBe(1);
    expect(await readText(path)).toBe(writes.at(-1)?.content);
  });

  it('is repeated to the byte by the same seed and clock', async () => {
    const run = async () => {
      const { writes, onWrite } = recorder();
      await simulate(settingsFor(await metricsFile()), { sleep: noSleep, onWrite, now: () => 1e12 });
      return writes.map(({ content }) => content);
    };
    expect(await run()).toEqual(await run());
  });

  it('waits the interval between writes, and neither before the first nor after the last', async () => {
    const waits: number[] = [];
    const sleep = async (ms: number) => void waits.push(ms);
    await simulate(settingsFor(await metricsFile(), { writeIntervalMs: 250 }), { sleep });
    expect(waits).toEqual(Array(20).fill(250));
  });

  it('lets other users read the file whatever the umask, and leaves nothing beside it', async () => {
    const path = await metricsFile();
    const umask = process.umask(0o027);
    onTestFinished(() => void process.umask(umask));
    await simulate(settingsFor(path), { sleep: noSleep });
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    expect(await readdir(dirname(path))).toEqual(['current.json']);
  });

  it('never shows a reader half a file', async () => {
    const path = await metricsFile();
    const enough = new AbortController();
    const run = simulate(settingsFor(path, { totalEpochs: 1_000_000 }), {
      sleep: noSleep,
      signal: enough.signal,
    });
    await expect.poll(() => access(path).then(() => true), { timeout: 20_000 }).toBe(true);
    const seen: string[] = [];
    // On a busy machine 500 reads may be done before the next write.
    while (seen.length < 500 || seen.every((it) => it === seen[0])) seen.push(await readText(path));
    enough.abort();
    expect(await run).toMatchObject({ status: 'stopped' });
    expect(seen.filter((content) => !isWhole(content))).toEqual([]);
    expect(new Set(seen).size).toBeGreaterThan(1);
  });

  it('stops within a wait when the signal is aborted, and leaves the status running', async () => {
    const path = await metricsFile();
    const controller = new AbortController();
    const outcome = await simulate(settingsFor(path, { writeIntervalMs: 3_600_000 }), {
      signal: controller.signal,
      onWrite: () => setImmediate(() => controller.abort()),
    });
    expect(outcome).toEqual({ status: 'stopped', writes: 1 });
    expect(JSON.parse(await readText(path))).toMatchObject({ status: 'running' });
  });

  it('writes nothing when the signal was aborted before', async () => {
    const path = await metricsFile();
    const outcome = await simulate(settingsFor(path), { signal: AbortSignal.abort() });
    expect(outcome).toEqual({ status: 'stopped', writes: 0 });
    expect(await readText(path)).toBe('');
  });
});
