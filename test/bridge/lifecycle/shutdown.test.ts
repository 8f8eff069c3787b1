import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/file.ts';
import { until } from '../../support/until.ts';

const { href } = new URL('../../../src/bridge/lifecycle/shutdown.ts', import.meta.url);

/**
 * A process whose own shutdown never ends; SIGHUP causes an error that nothing catches.
 *
 * @param arming when the deadline is known: as soon as the process listens, or so long after the first signal
 * @param shutdown source that runs at the first signal
 */
function startEndless(
  timeoutMs: number,
  arming: 'at once' | { readonly afterSignalMs: number } = 'at once',
  shutdown = '',
) {
  const script = join(temporaryFolder(), 'endless.mts');
  writeFileSync(
    script,
    `import { listenForShutdown } from ${JSON.stringify(href)};
     const say = (level) => (details, message) => console.log(level + ': ' + message);
     const log = { info: say('info'), warn: say('warn'), error: say('error') };
     const shutdown = listenForShutdown();
     const arm = () => shutdown.arm({ log, timeoutMs: ${timeoutMs}, exit: process.exit });
     ${arming === 'at once' ? 'arm();' : `shutdown.signal.addEventListener('abort', () => setTimeout(arm, ${arming.afterSignalMs}));`}
     shutdown.signal.addEventListener('abort', () => { ${shutdown} });
     process.on('SIGHUP', () => { throw new Error('escaped'); });
     setInterval(() => undefined, 1_000);
     console.log('listens');`,
  );
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = new Promise((resolve) => child.once('close', (...how) => resolve(how)));
  const said = (line: string) => until(() => text.split('\n').includes(line), `the line "${line}"`);
  return { child, ended, said };
}

it.each([
  ['SIGTERM', 0],
  ['SIGINT', 0],
  ['SIGHUP', 1],
] as const)(
  'a shutdown that never ends is over at its deadline after %s, with code %i',
  async (name, code) => {
    const { child, ended, said } = startEndless(500);
    await said('listens');
    const startMs = performance.now();
    child.kill(name);
    expect(await ended).toEqual([code, null]);
    // Timers of Node.js are up to a millisecond early.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(499);
    expect(performance.now() - startMs).toBeLessThan(1_500);
    await said('error: Shutdown took longer than SHUTDOWN_TIMEOUT: exiting');
  },
);

it('an error that nothing catches, after a signal, ends the process at once, as a failure', async () => {
  const { child, ended, said } = startEndless(60_000);
  await said('listens');
  child.kill('SIGTERM');
  await said('info: Shutting down');
  child.kill('SIGHUP');
  expect(await ended).toEqual([1, null]);
  await said('error: Unexpected error: flushing and exiting');
});

it('a second error that nothing catches ends the process at once, as a failure', async () => {
  const { child, ended, said } = startEndless(60_000);
  await said('listens');
  child.kill('SIGHUP');
  await said('error: Unexpected error: flushing and exiting');
  child.kill('SIGHUP');
  expect(await ended).toEqual([1, null]);
});

it('the deadline counts from the signal, also if it arrived before the configuration was read', async () => {
  const { child, ended, said } = startEndless(2_000, { afterSignalMs: 1_500 });
  await said('listens');
  const startMs = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(performance.now() - startMs).toBeLessThan(3_000);
  await said('info: Shutting down');
});

const signalItself = `process.kill(process.pid, 'SIGINT')`;
const flush = (ms: number) => `setTimeout(() => process.exit(0), ${ms})`;

it('a second signal that arrives with the first leaves the flush a second, also if the process is busy', async () => {
  const block = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)';
  const { child, ended, said } = startEndless(60_000, 'at once', `${signalItself}; ${block}; ${flush(500)};`);
  await said('listens');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

it('a second signal that arrives with the first ends the process after a second', async () => {
  const { child, ended, said } = startEndless(60_000, 'at once', signalItself);
  await said('listens');
  const startMs = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toEqual([130, null]);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(999);
});

it('a later second signal ends the process at once', async () => {
  const later = `setTimeout(() => ${signalItself}, 200)`;
  const { child, ended, said } = startEndless(60_000, 'at once', `${later}; ${flush(1_100)};`);
  await said('listens');
  child.kill('SIGTERM');
  expect(await ended).toEqual([130, null]);
  await said('warn: Second signal: exiting at once');
});
