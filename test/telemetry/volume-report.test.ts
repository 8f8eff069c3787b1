import { expect, it } from 'vitest';
import { createConditions, createLogger } from '../../src/common/logger.ts';
import { createVolumeReport } from '../../src/telemetry/volume-report.ts';
import { type LogLine, linesInto } from '../support/bridge.ts';

const full: NodeJS.ErrnoException = Object.assign(new Error('no space left'), { code: 'ENOSPC' });

function reported(writes: readonly (readonly [second: number, error: typeof full | undefined])[]) {
  const log: LogLine[] = [];
  let monotonicMs = 0;
  const conditions = createConditions(createLogger('info', linesInto(log)), () => monotonicMs);
  const report = createVolumeReport('/queue', () => ({ unixMs: 0, monotonicMs }), conditions);
  for (const [second, error] of writes) {
    monotonicMs = second * 1000;
    report(error);
  }
  return log;
}

it('says nothing of a volume that is well', () => {
  expect(reported([[0, undefined]])).toEqual([]);
});

it('warns once of a volume that takes one request and refuses the next', () => {
  expect(
    reported([
      [0, full],
      [1, undefined],
      [2, full],
      [61, undefined],
    ]),
  ).toMatchObject([{ level: 'warn', path: '/queue', reason: 'ENOSPC' }]);
});

it('says that the volume is well again when no write has failed for a minute, and how many have', () => {
  expect(
    reported([
      [0, full],
      [1, full],
      [61, undefined],
      [62, undefined],
    ]),
  ).toMatchObject([
    { level: 'warn' },
    {
      level: 'info',
      message: 'Folder of the export queue can be written again',
      path: '/queue',
      times: 2,
    },
  ]);
});

it('warns anew of what begins after that', () => {
  const levels = reported([
    [0, full],
    [60, undefined],
    [61, full],
  ]).map(({ level }) => level);
  expect(levels).toEqual(['warn', 'info', 'warn']);
});
