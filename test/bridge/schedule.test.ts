import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterExport, afterPoll, idleMs, startSchedule } from '../../src/bridge/schedule.ts';

const noJitter = { random: () => 0, spreadMs: 5_000 };
const half = { random: () => 0.5, spreadMs: 5_000 };
const intervals = { collectionIntervalMs: 10_000, exportIntervalMs: 15_000 };

describe('the schedule', () => {
  it('begins with a poll and an export', () => {
    expect(startSchedule(500, intervals, noJitter)).toEqual({ nextPollMs: 500, nextExportMs: 500 });
    expect(idleMs(startSchedule(500, intervals, noJitter), 500)).toBe(0);
  });

  it('keeps the rhythm of polls that take a while', () => {
    const schedule = afterPoll(startSchedule(0, intervals, noJitter), 3_000, intervals);
    expect(schedule.nextPollMs).toBe(10_000);
    expect(afterPoll(schedule, 10_500, intervals).nextPollMs).toBe(20_000);
  });

  it('does not make up for polls that were missed', () => {
    expect(afterPoll(startSchedule(0, intervals, noJitter), 35_000, intervals).nextPollMs).toBe(35_000);
  });

  it('exports a whole interval after the last export', () => {
    expect(afterExport(startSchedule(0, intervals, noJitter), 4_000, intervals).nextExportMs).toBe(19_000);
  });

  it('polls at once, and spreads the next poll and the first heartbeat', () => {
    const schedule = startSchedule(1_000, intervals, half);
    expect(idleMs(schedule, 1_000)).toBe(0);
    expect(schedule.nextExportMs).toBe(3_500);
    expect(afterPoll(schedule, 1_000, intervals).nextPollMs).toBe(8_500);
  });

  it('spreads polls over no more than their interval', () => {
    const often = { ...intervals, collectionIntervalMs: 1_000 };
    expect(afterPoll(startSchedule(0, often, half), 0, often).nextPollMs).toBe(500);
  });

  it('sends the heartbeat after an event earlier, never later', () => {
    expect(afterExport(startSchedule(0, intervals, half), 4_000, intervals, half).nextExportMs).toBe(16_500);
  });

  it('waits for whichever is due first', () => {
    expect(idleMs({ nextPollMs: 700, nextExportMs: 900 }, 100)).toBe(600);
    expect(idleMs({ nextPollMs: 900, nextExportMs: 700 }, 100)).toBe(600);
    expect(idleMs({ nextPollMs: 50, nextExportMs: 700 }, 100)).toBe(0);
  });
});

it('however long polls and exports take, each is due again within its interval, and never twice at one moment', () => {
  const durations = fc.array(fc.tuple(fc.nat(60_000), fc.nat(60_000)), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 100_000 }),
      fc.integer({ min: 10, max: 30_000 }),
      durations,
      (...input) => {
        const [collectionIntervalMs, exportIntervalMs, turns] = input;
        const policy = { collectionIntervalMs, exportIntervalMs };
        let nowMs = 0;
        let schedule = startSchedule(nowMs, policy, noJitter);
        for (const [pollMs, exportMs] of turns) {
          nowMs += idleMs(schedule, nowMs);
          expect(nowMs >= schedule.nextPollMs || nowMs >= schedule.nextExportMs).toBe(true);
          if (nowMs >= schedule.nextPollMs) {
            const { nextPollMs } = schedule;
            nowMs += pollMs;
            schedule = afterPoll(schedule, nowMs, policy);
            expect(schedule.nextPollMs).toBeGreaterThanOrEqual(nextPollMs + collectionIntervalMs);
            expect(schedule.nextPollMs).toBeLessThanOrEqual(nowMs + collectionIntervalMs);
          }
          if (nowMs >= schedule.nextExportMs) {
            nowMs += exportMs;
            schedule = afterExport(schedule, nowMs, policy);
            expect(schedule.nextExportMs).toBe(nowMs + exportIntervalMs);
          }
        }
      },
    ),
  );
});
