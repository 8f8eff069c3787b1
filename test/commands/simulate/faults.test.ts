import { describe, expect, it } from 'vitest';
import { describeFault, lastStepBeforeFault } from '../../../src/commands/simulate/faults.ts';
import { readSimulationSettings } from '../../../src/commands/simulate/settings.ts';
import { type Sleep, simulate } from '../../../src/commands/simulate/simulate.ts';
import { isWhole, metricsFile, noSleep, readText, recorder, settingsFor } from './support.ts';

describe('the start of a fault', () => {
  it.each([
    [{ totalEpochs: 10, batchesPerEpoch: 100, writeIntervalMs: 1000 }, 15],
    [{ totalEpochs: 4, batchesPerEpoch: 5, writeIntervalMs: 1000 }, 10],
    [{ totalEpochs: 10, batchesPerEpoch: 100, writeIntervalMs: 60_000 }, 1],
    [{ totalEpochs: 1, batchesPerEpoch: 1, writeIntervalMs: 1 }, 1],
  ])('of %j is after step %i', (settings, step) => {
    expect(lastStepBeforeFault(settings)).toBe(step);
  });

  it('is within 20 s by default, and told', () => {
    const reading = readSimulationSettings({});
    if (reading.status === 'invalid') throw new Error('the defaults are invalid');
    expect((lastStepBeforeFault(reading.settings) + 1) * reading.settings.writeIntervalMs).toBeLessThan(
      20_000,
    );
    expect(describeFault('nan', reading.settings)).toBe(
      'training_loss becomes NaN after batch 15, in about 15 s',
    );
    expect(describeFault('torn', reading.settings)).toMatch(
      / half-written for 1 s\. .* COLLECTION_INTERVAL=1 or less$/,
    );
    expect(describeFault('stall', reading.settings)).toMatch(/ in about 15 s, .* STALL_AFTER /);
  });
});

describe('the fault', () => {
  it('torn shows a reader half a file, then the whole', async () => {
    const path = await metricsFile();
    const seen: string[] = [];
    const sleep: Sleep = async () => void seen.push(await readText(path));
    const { writes, onWrite } = recorder();
    expect(await simulate(settingsFor(path), { fault: 'torn', sleep, onWrite })).toMatchObject({
      status: 'completed',
    });
    const torn = writes.filter(({ torn }) => torn).map(({ content }) => content);
    const halves = seen.filter((content) => !isWhole(content));
    expect(torn.length).toBe(4);
    expect(halves.length).toBe(torn.length);
    for (const [index, half] of halves.entries()) {
      expect(torn[index]?.startsWith(half)).toBe(true);
      expect(half.length).toBe(Math.floor((torn[index]?.length ?? 0) / 2));
    }
    expect(writes.every(({ content }) => isWhole(content))).toBe(true);
  });

  it('torn leaves half a file longer than a reader waits before it reads again', async () => {
    const waits: number[] = [];
    const sleep: Sleep = async (ms) => void waits.push(ms);
    await simulate(settingsFor(await metricsFile(), { writeIntervalMs: 1 }), { fault: 'torn', sleep });
    expect(waits.filter((ms) => ms !== 1)).toEqual(Array(4).fill(120));
  });

  it('torn leaves half a file until a reader that polls once a write has polled', async () => {
    const waits: number[] = [];
    const sleep: Sleep = async (ms) => void waits.push(ms);
    await simulate(settingsFor(await metricsFile(), { writeIntervalMs: 1000 }), { fault: 'torn', sleep });
    expect(Math.min(...waits)).toBe(1000);
  });

  it('nan writes a bare NaN from the middle epoch on, and nothing else changes', async () => {
    const run = async (fault?: 'nan') => {
      const { writes, onWrite } = recorder();
      await simulate(settingsFor(await metricsFile()), { fault, sleep: noSleep, onWrite, now: () => 1e12 });
      return writes;
    };
    const healthy = await run();
    for (const [index, { step, content }] of (await run('nan')).entries()) {
      const expected = healthy[index]?.content ?? '';
      if (step.epoch < 3) expect(content).toBe(expected);
      else {
        expect(content).toBe(expected.replace(/"training_loss": [\d.]+/, '"training_loss": NaN'));
        expect(isWhole(content)).toBe(false);
      }
    }
  });

  it('crash ends the run in the middle, with a whole file that says running', async () => {
    const path = await metricsFile();
    const { writes, onWrite } = recorder();
    const outcome = await simulate(settingsFor(path), { fault: 'crash', sleep: noSleep, onWrite });
    expect(outcome).toEqual({ status: 'crashed', writes: 11 });
    expect(await readText(path)).toBe(writes.at(-1)?.content);
    expect(JSON.parse(await readText(path))).toMatchObject({ status: 'running' });
  });

  it('stall writes no more after the middle and ends by the signal alone', async () => {
    const path = await metricsFile();
    const { writes, onWrite } = recorder();
    const controller = new AbortController();
    let waits = 0;
    let ended = false;
    const sleep: Sleep = async () => void waits++;
    const run = simulate(settingsFor(path), { fault: 'stall', signal: controller.signal, sleep, onWrite });
    void run.then(() => {
      ended = true;
    });
    await expect.poll(() => waits, { timeout: 20_000 }).toBe(11);
    const last = await readText(path);
    // Had it gone on, nothing would have held it: without waits, the ten steps left take a few milliseconds.
    for (let reads = 0; reads < 100; reads++) expect(await readText(path)).toBe(last);
    expect({ ended, waits, writes: writes.length }).toEqual({ ended: false, waits: 11, writes: 11 });
    controller.abort();
    expect(await run).toEqual({ status: 'stopped', writes: 11 });
    expect(JSON.parse(last)).toMatchObject({ status: 'running' });
  });
});
