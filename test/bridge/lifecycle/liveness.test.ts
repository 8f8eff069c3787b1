import { expect, it } from 'vitest';
import { createLiveness } from '../../../src/bridge/lifecycle/liveness.ts';

function setUp() {
  const hands = { unixMs: 0, monotonicMs: 0 };
  const liveness = createLiveness(() => ({ ...hands }), 10_000);
  const pass = (seconds: number) => {
    hands.monotonicMs += seconds * 1000;
  };
  return { liveness, pass };
}

it('is ready after the first poll, whatever it found', () => {
  const { liveness } = setUp();
  expect(liveness.readyz()).toEqual({ healthy: false, reason: 'the first poll is not done yet' });
  liveness.polled('missing');
  expect(liveness.readyz()).toEqual({ healthy: true, reason: 'polled the file (missing) 0 s ago' });
});

it('is alive while the loop is not late', () => {
  const { liveness, pass } = setUp();
  pass(40);
  expect(liveness.livez().healthy).toBe(true);
  pass(1);
  expect(liveness.livez()).toEqual({
    healthy: false,
    reason: 'started 41 s ago, which is late: the limit is 40 s',
  });
  liveness.polled('ok');
  expect(liveness.livez().healthy).toBe(true);
  pass(41);
  expect(liveness.livez()).toEqual({
    healthy: false,
    reason: 'polled the file (ok) 41 s ago, which is late: the limit is 40 s',
  });
});

it('says why the last export failed, and stays ready, because the training would not be ready either', () => {
  const { liveness } = setUp();
  liveness.polled('missing');
  liveness.exported('the host name c does not exist');
  expect(liveness.readyz()).toEqual({
    healthy: true,
    reason: 'polled the file (missing) 0 s ago; the last export failed: the host name c does not exist',
  });
  liveness.exported(undefined);
  expect(liveness.readyz().reason).toBe('polled the file (missing) 0 s ago');
});

it('stays alive and is not ready while a read hangs', () => {
  const { liveness } = setUp();
  liveness.polled('hung');
  expect(liveness.livez()).toEqual({ healthy: true, reason: 'polled the file (hung) 0 s ago' });
  expect(liveness.readyz()).toEqual({ healthy: false, reason: 'polled the file (hung) 0 s ago' });
  liveness.polled('unchanged');
  expect(liveness.readyz().healthy).toBe(true);
});
