import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startBridge } from '../../support/bridge.ts';
import { startProcess } from '../../support/process.ts';
import { commandLine } from '../../support/terminal.ts';
import { until } from '../../support/until.ts';
import { folderOf, jsonLines, receiver, valuesOf } from './support.ts';

it('ends in order at SIGINT while the Collector does not accept, and says how to go on', async () => {
  const target = await receiver();
  const folder = folderOf({ 'a/train.jsonl': jsonLines(2_500) });
  target.reply((_request, n) =>
    n === 1 ? { status: 'ok' } : { status: 'error', code: 14, message: 'busy' },
  );
  const args = ['replay', folder, '--endpoint', target.endpoint];
  const { child, stderr, ended } = startProcess({ environment: {}, args });
  await until(() => stderr().includes('busy'), 'the first refusal');
  child.kill('SIGINT');
  expect(await ended).toEqual({ code: 1, signal: null });
  const accepted = target.points('ml.training.loss').length;
  expect(accepted).toBeGreaterThan(0);
  expect(stderr()).toContain(
    `of 2,500 records arrived. To go on, give the same arguments and --from ${accepted + 1}.`,
  );
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
