import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { startBridge } from '../../support/bridge.ts';
import { temporaryFolder } from '../../support/file.ts';
import { startProcess } from '../../support/process.ts';
import { commandLine } from '../../support/terminal.ts';
import { until } from '../../support/until.ts';
import { expectEachOnce, folderOf, jsonLines, receiver, valuesOf } from './support.ts';

// Processes one after the other: more than 30 s on a machine that is busy with other work.
vi.setConfig({ testTimeout: 120_000 });

it.each(['SIGINT', 'SIGTERM'] as const)(
  'ends in order at %s while the Collector does not accept, and goes on as it says',
  async (signal) => {
    const target = await receiver();
    const folder = folderOf({ 'a/train.jsonl': jsonLines(1_000) });
    target.reply((_request, n) =>
      n === 1 ? { status: 'ok' } : { status: 'error', code: 14, message: 'busy' },
    );
    const args = ['replay', folder, '--endpoint', target.endpoint];
    const { child, stderr, ended } = startProcess({ environment: {}, args });
    await until(() => stderr().includes('busy'), 'the first refusal', 60_000);
    child.kill(signal);
    expect(await ended).toEqual({ code: 1, signal: null });
    const accepted = target.points('ml.training.loss').length;
    expect(accepted).toBeGreaterThan(0);
    expect(stderr()).toContain(
      `of 1,000 records arrived. To go on, give the same arguments and --from ${accepted + 1}.`,
    );
    target.reply(() => ({ status: 'ok' }));
    const { code } = await commandLine([...args, '--from', String(accepted + 1)]);
    expect(code).toBe(0);
    expectEachOnce(target, 1_000);
    expect(target.points('ml.training.loss')).toHaveLength(1_000);
  },
);

it('is right after a SIGKILL in the middle and a second start: no number is missing, none has two values', async () => {
  const target = await receiver();
  const folder = folderOf({ 'a/train.jsonl': jsonLines(750), 'b/train.jsonl': jsonLines(750) });
  const args = ['replay', folder, '--endpoint', target.endpoint];
  const killed = startProcess({ environment: {}, args });
  target.reply((_request, n) => {
    if (n === 2) killed.child.kill('SIGKILL');
    return n <= 2 ? { status: 'ok' } : { status: 'hang' };
  });
  expect(await killed.ended).toEqual({ code: null, signal: 'SIGKILL' });
  const before = target.points('ml.training.loss').length;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(1_500);
  target.reply(() => ({ status: 'ok' }));
  const again = startProcess({ environment: {}, args });
  expect(await again.ended).toEqual({ code: 0, signal: null });
  expectEachOnce(target, 1_500);
});

it('writes the file whole after a SIGKILL in the middle, and leaves no temporary file of the killed one', async () => {
  const folder = folderOf({ 'a/train.jsonl': jsonLines(1_500) });
  const [spools, output] = [temporaryFolder(), join(temporaryFolder(), 'out.om')];
  const environment = { TMPDIR: spools };
  const args = ['replay', folder, '--output', output];
  const pipe = `${output}.partial`;
  execFileSync('mkfifo', [pipe]);
  const killed = startProcess({ environment, args });
  // Nobody reads the pipe yet, so the text waits.
  const reader = await open(pipe, 'r');
  await reader.read(Buffer.alloc(10));
  killed.child.kill('SIGKILL');
  expect(await killed.ended).toEqual({ code: null, signal: 'SIGKILL' });
  await reader.close();
  rmSync(pipe);
  expect([existsSync(output), readdirSync(spools)]).toEqual([false, []]);
  const again = startProcess({ environment, args });
  expect(await again.ended).toEqual({ code: 0, signal: null });
  const losses = readFileSync(output, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('ml_training_loss{'));
  expect(losses).toHaveLength(1_500);
  expect(new Set(losses).size).toBe(1_500);
  expect(readFileSync(output, 'utf8').endsWith('# EOF\n')).toBe(true);
});

it('sends the values that the bridge sends of the same log', async () => {
  const folder = folderOf({ 'a/train.jsonl': jsonLines(100) });
  const live = await startBridge({
    file: join(folder, 'a/train.jsonl'),
    environment: { METRICS_START: 'beginning' },
  });
  await until(() => valuesOf(live.receiver, 'ml.training.loss').size >= 100, 'all records');
  await live.stop();
  const target = await receiver();
  await commandLine(['replay', folder, '--endpoint', target.endpoint]);
  for (const metric of ['ml.training.loss', 'ml.training.grad'])
    expect(valuesOf(live.receiver, metric)).toEqual(
      new Map([
        ...valuesOf(target, metric),
        ...newerThan(live.receiver.points(metric), target.points(metric)),
      ]),
    );
});

/** The bridge repeats the present state at the present time. */
function newerThan(
  points: readonly { readonly timeMs: number; readonly value: number }[],
  records: readonly { readonly timeMs: number }[],
): readonly (readonly [number, number])[] {
  const lastMs = Math.max(...records.map(({ timeMs }) => timeMs));
  return points.filter(({ timeMs }) => timeMs > lastMs).map(({ timeMs, value }) => [timeMs, value]);
}

it('merges the event files of a run by time', async () => {
  const target = await receiver();
  const folder = folderOf({});
  const events = 'test/fixtures/logs/events.out.tfevents';
  cpSync(`${events}.encodings`, join(folder, 'resnet/train/events.out.tfevents.1'));
  cpSync(`${events}.tensorboardx`, join(folder, 'resnet/validation/events.out.tfevents.2'));
  const { code, text } = await commandLine(['replay', folder, '--endpoint', target.endpoint]);
  expect(code).toBe(0);
  expect(text).toContain('9 records');
  expect(text).not.toContain('placed 1 ms');
  const points = target.points('ml.training.last_step_time');
  const times = points.map(({ timeMs }) => timeMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBe(9);
  expect(points[0]?.attributes['job.id']).toBe('resnet');
});
