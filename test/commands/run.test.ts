import { renameSync, utimesSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Receiver } from '../../src/commands/demo/receiver/receiver.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { startDeliveringProcess as setUp } from '../support/delivering-process.ts';
import { exampleText, type FileOverrides, replaceFile, temporaryFolder } from '../support/file.ts';
import { freePort } from '../support/port.ts';
import { startProcess, type TestProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

/** The address of a module with this source, to load before the bundle. */
function preloadOf(source: string): string {
  const path = join(temporaryFolder(), 'preload.mjs');
  writeFileSync(path, source);
  return pathToFileURL(path).href;
}

const lastLoss = (receiver: Receiver) => receiver.points('ml.training.loss').at(-1)?.value;

describe('the bundle, away from node_modules', () => {
  it('delivers', async () => {
    const { receiver, file, bridge } = await setUp();
    replaceFile(file, exampleText());
    await receiver.waitFor(() => lastLoss(receiver) === 1.2345, 'the loss');
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
  });

  it('says at its start how it is configured, and at its end what it did, and no secret', async () => {
    const { receiver, file, bridge } = await setUp({
      environment: { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hunter2', LOG_LEVEL: 'debug' },
    });
    await bridge.said('Metrics file does not exist yet');
    replaceFile(file, exampleText());
    await receiver.waitFor(() => lastLoss(receiver) === 1.2345, 'the loss');
    bridge.child.kill('SIGTERM');
    await bridge.ended;
    expect(bridge.log[0]).toMatchObject({
      message: 'ml-metrics-bridge started',
      config: {
        metricsFilePath: file,
        collectionIntervalMs: 20,
        endpoint: `127.0.0.1:${receiver.port}`,
        transport: 'plaintext',
        headers: ['authorization'],
      },
    });
    expect(bridge.log.at(-1)).toMatchObject({
      message: 'ml-metrics-bridge ended',
      snapshots: 1,
      runs: 1,
      undelivered: 0,
    });
    expect(bridge.log.find(({ message }) => message === 'Metrics file does not exist yet')?.level).toBe(
      'debug',
    );
    expect(JSON.stringify(bridge.log)).not.toContain('hunter2');
  });
});

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('flushes the value written just before, 25 times of 25', { timeout: 120_000 }, async () => {
    const once = async (value: number) => {
      const { receiver, file, bridge } = await setUp({
        environment: { COLLECTION_INTERVAL: '30' },
        content: exampleText(),
      });
      await receiver.waitFor(() => lastLoss(receiver) === 1.2345, 'the first loss');
      replaceFile(file, exampleText({ metrics: { training_loss: value, batch_number: 46 } }));
      bridge.child.kill(signal);
      expect(await bridge.ended).toEqual({ code: 0, signal: null });
      await receiver.waitFor(() => lastLoss(receiver) === value, `the last loss, ${value}`);
    };
    for (let value = 100; value < 125; value++) await once(value);
  });
});

describe('a Collector that is no help', () => {
  const endsInTime = async (bridge: TestProcess, file: string) => {
    replaceFile(file, exampleText());
    await bridge.said('Training run began');
    const start = performance.now();
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
    // The bound is the promise itself, and an order of magnitude above what is waited for.
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(bridge.log.at(-1)?.message).toMatch(/^ml-metrics-bridge ended with undelivered snapshots/);
  };

  it('because it refuses connections cannot hold the end', async () => {
    const { file, bridge } = await setUp({
      endpoint: `http://127.0.0.1:${await freePort()}`,
      environment: { SHUTDOWN_TIMEOUT: '1' },
    });
    await endsInTime(bridge, file);
  });

  it.runIf(process.platform === 'linux')('because its packets are lost cannot hold the end', async () => {
    const { port } = await startBlackHole();
    const { file, bridge } = await setUp({
      endpoint: `http://127.0.0.1:${port}`,
      environment: { SHUTDOWN_TIMEOUT: '1' },
    });
    await endsInTime(bridge, file);
  });

  it('because it accepts and never answers cannot hold the end', async () => {
    const { receiver, file, bridge } = await setUp({ environment: { SHUTDOWN_TIMEOUT: '1' } });
    receiver.reply(() => ({ status: 'hang' }));
    await endsInTime(bridge, file);
  });

  it('because it takes connections and says nothing cannot hold the end', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await until(() => silent.listening, 'the silent server');
    const { file, bridge } = await setUp({
      endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      environment: { SHUTDOWN_TIMEOUT: '1' },
    });
    await endsInTime(bridge, file);
  });

  it('for a while only still gets the last value, though a request hangs', async () => {
    const { receiver, file, bridge } = await setUp({ environment: { SHUTDOWN_TIMEOUT: '4' } });
    receiver.reply((_request, n) => (n === 1 ? { status: 'hang' } : { status: 'ok' }));
    replaceFile(file, exampleText({ metrics: { training_loss: 1 } }));
    await receiver.waitFor(() => receiver.requests.length === 1, 'the request that hangs');
    replaceFile(file, exampleText({ metrics: { training_loss: 2 } }));
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
    expect(lastLoss(receiver)).toBe(2);
  });
});

describe('leaving', () => {
  it('is at once at a second signal', async () => {
    const { receiver, file, bridge } = await setUp({ environment: { SHUTDOWN_TIMEOUT: '60' } });
    receiver.reply(() => ({ status: 'hang' }));
    replaceFile(file, exampleText());
    await receiver.waitFor(() => receiver.requests.length > 0, 'a request');
    bridge.child.kill('SIGTERM');
    await bridge.said('Shutting down');
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 143, signal: null });
  });

  it('is not hurried by the echo of the first: timeout(1) and npm signal a process and its group', async () => {
    const { receiver, file, bridge } = await setUp({
      // Sent by the process itself, a moment after the first signal however busy the machine is.
      preload: preloadOf(`process.once('SIGTERM', () => process.kill(process.pid, 'SIGINT'));
                          process.once('SIGINT', () => console.log('SIGINT'));`),
      environment: { COLLECTION_INTERVAL: '30' },
      content: exampleText(),
    });
    await receiver.waitFor(() => lastLoss(receiver) === 1.2345, 'the first loss');
    receiver.reply(async () => {
      await bridge.said('SIGINT');
      return { status: 'ok' };
    });
    replaceFile(file, exampleText({ metrics: { training_loss: 5 } }));
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
    expect(lastLoss(receiver)).toBe(5);
    await bridge.said('Shutting down');
  });

  it('after an error that escapes flushes, logs it, and is a failure', async () => {
    const { receiver, file, bridge } = await setUp({
      preload: preloadOf(`process.on('SIGUSR2', () => { throw new Error('escaped'); });`),
      environment: { COLLECTION_INTERVAL: '30' },
      content: exampleText(),
    });
    await receiver.waitFor(() => lastLoss(receiver) === 1.2345, 'the first loss');
    replaceFile(file, exampleText({ metrics: { training_loss: 9 } }));
    bridge.child.kill('SIGUSR2');
    expect(await bridge.ended).toEqual({ code: 1, signal: null });
    expect(lastLoss(receiver)).toBe(9);
    expect(bridge.log).toContainEqual(
      expect.objectContaining({
        message: 'Unexpected error: flushing and exiting',
        err: expect.objectContaining({ message: 'escaped' }),
      }),
    );
  });

  it.each([
    ['at the last look', '0.5'],
    ['under a poll', '0.02'],
  ])('is not held by a volume that hangs %s: what was read is flushed', async (_when, interval) => {
    const trap = join(temporaryFolder(), 'trap.cjs');
    writeFileSync(
      trap,
      `const files = require('node:fs/promises');
       const { stat } = files;
       let hangs = false;
       process.on('SIGUSR2', () => { hangs = true; });
       files.stat = (...args) => {
         if (!hangs) return stat(...args);
         console.log('it hangs');
         return new Promise(() => undefined);
       };`,
    );
    const { receiver, file, bridge } = await setUp({
      preload: pathToFileURL(trap).href,
      environment: { SHUTDOWN_TIMEOUT: '2', COLLECTION_INTERVAL: interval },
    });
    receiver.reply(() => ({ status: 'error', code: 14 }));
    replaceFile(file, exampleText());
    await bridge.said('Training run began');
    bridge.child.kill('SIGUSR2');
    if (interval !== '0.5') await bridge.said('it hangs');
    receiver.reply(() => ({ status: 'ok' }));
    bridge.child.kill('SIGTERM');
    expect((await bridge.ended).code).toBe(0);
    expect(lastLoss(receiver)).toBe(1.2345);
    const states = receiver.points('ml.training.run.state').filter(({ value }) => value === 1);
    expect(states.at(-1)?.attributes.state).toBe('ended');
    expect(bridge.log.at(-1)?.message).toBe('ml-metrics-bridge ended');
  });

  it('in container mode is never a failure', async () => {
    const { receiver, file, bridge } = await setUp({
      preload: preloadOf(`process.on('SIGUSR2', () => { throw new Error('escaped'); });`),
      environment: { SIDECAR_MODE: 'container' },
    });
    replaceFile(file, exampleText());
    await receiver.waitFor(() => lastLoss(receiver) === 1.2345, 'the loss');
    bridge.child.kill('SIGUSR2');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
  });
});

describe('a file that an earlier run left', () => {
  const leave = (file: string, overrides: FileOverrides) => {
    replaceFile(file, exampleText(overrides));
    const yesterday = Date.now() / 1000 - 86_400;
    utimesSync(file, yesterday, yesterday);
  };
  const nextRun = { job: { start_time: '2025-10-24T10:15:00Z' }, metrics: { training_loss: 42 } };
  const statesSeen = (receiver: Receiver) =>
    new Set(
      receiver
        .points('ml.training.run.state')
        .filter(({ value }) => value === 1)
        .map(({ attributes }) => attributes.state),
    );
  const setUpLeft = async (environment: Record<string, string>, overrides: FileOverrides) => {
    const file = join(temporaryFolder(), 'current.json');
    leave(file, overrides);
    return { ...(await setUp({ environment: { ...environment, METRICS_FILE_PATH: file } })), file };
  };
  const saysThatItIsLeft = (bridge: TestProcess) =>
    bridge.said(
      'Metrics file was written before the bridge started: it belongs to an earlier run until it is written again',
    );

  it.each(['completed', 'failed'])('with status %s does not end a plain container', async (status) => {
    const { receiver, file, bridge } = await setUpLeft(
      { SIDECAR_MODE: 'container', EXIT_AFTER_FAILED: '0' },
      { top: { status } },
    );
    await saysThatItIsLeft(bridge);
    await receiver.waitFor(() => statesSeen(receiver).has('waiting'), 'the state waiting');
    expect([...statesSeen(receiver)]).toEqual(['waiting']);
    replaceFile(file, exampleText(nextRun));
    await receiver.waitFor(() => lastLoss(receiver) === 42, 'the loss of the next run');
    replaceFile(file, exampleText({ ...nextRun, top: { status } }));
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
    expect([...statesSeen(receiver)]).toEqual(['waiting', 'running', status]);
  });

  it('never stalls, and counts nothing', async () => {
    const { receiver, bridge } = await setUpLeft(
      { STALL_AFTER: '0.05', OTEL_METRIC_EXPORT_INTERVAL: '50' },
      {},
    );
    await saysThatItIsLeft(bridge);
    await receiver.waitFor(() => receiver.requests.length > 5, 'exports');
    bridge.child.kill('SIGTERM');
    await bridge.ended;
    expect([...statesSeen(receiver)]).toEqual(['waiting']);
    for (const metric of ['loss', 'batch_number', 'processing_time', 'last_step_time'])
      expect(receiver.points(`ml.training.${metric}`)).toEqual([]);
    expect(bridge.log.at(-1)).toMatchObject({ runs: 0 });
  });

  it('is of the present run if it appears after the bridge has started, whatever its time', async () => {
    const { file, bridge } = await setUp({ environment: { LOG_LEVEL: 'debug' } });
    await bridge.said('Metrics file does not exist yet');
    leave(`${file}.left`, {});
    renameSync(`${file}.left`, file);
    await bridge.said('Training run began');
  });
});

describe('a trainer that fails and is restarted in its pod', () => {
  it('is seen by a plain container, which ends EXIT_AFTER_FAILED after the last failure', async () => {
    const { receiver, file, bridge } = await setUp({
      environment: { SIDECAR_MODE: 'container', EXIT_AFTER_FAILED: '3' },
    });
    replaceFile(file, exampleText({ top: { status: 'failed' } }));
    await bridge.said('Training run failed');
    const restarted = { job: { start_time: '2025-10-24T10:15:00Z' }, metrics: { training_loss: 42 } };
    replaceFile(file, exampleText(restarted));
    await receiver.waitFor(() => lastLoss(receiver) === 42, 'the loss of the restarted trainer');
    replaceFile(file, exampleText({ ...restarted, top: { status: 'failed' } }));
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
    const [failed, exited] = [
      'Training run failed',
      'Exiting by itself, because SIDECAR_MODE is container',
    ].map((message) => Date.parse(String(bridge.log.findLast((line) => line.message === message)?.time)));
    expect(Number(exited) - Number(failed)).toBeGreaterThanOrEqual(2_900);
  });
});

describe('a file that holds no metrics', () => {
  /** As the Trainer of Hugging Face writes it, shortened. */
  const trainerState = (step: number) =>
    JSON.stringify({
      best_metric: null,
      epoch: step / 100,
      global_step: step,
      log_history: [{ epoch: step / 100, loss: 2.5, step }],
      max_steps: 300,
    });

  it('is said once and begins no run, as check says, too', async () => {
    const { receiver, file, bridge } = await setUp({ environment: { OTEL_METRIC_EXPORT_INTERVAL: '50' } });
    const polls = () =>
      receiver.points('ml.bridge.snapshots').findLast(({ attributes }) => attributes.outcome === 'no_metrics')
        ?.value ?? 0;
    for (let step = 1; step <= 3; step++) {
      const before = polls();
      replaceFile(file, trainerState(step));
      await receiver.waitFor(() => polls() > before, `step ${step} to be read`);
    }
    const check = startProcess({ environment: {}, args: ['check', file, '--output', 'json'] });
    expect((await check.ended).code).toBe(1);
    const report = JSON.parse(check.log.map(({ message }) => message).join('\n'));
    expect(report).toMatchObject({ status: 'unusable', file: { outcome: 'no_metrics' } });
    bridge.child.kill('SIGTERM');
    await bridge.ended;
    expect(bridge.log.filter(({ message }) => message === 'Metrics file holds no metrics')).toEqual([
      expect.objectContaining({
        level: 'warn',
        reason: expect.stringMatching(/found: best_metric, epoch, global_step.*write \{"training_metrics"/),
      }),
    ]);
    expect(bridge.log.at(-1)).toMatchObject({ snapshots: 0, runs: 0 });
  });
});

describe('a wrong configuration', () => {
  const wrong = { COLLECTION_INTERVAL: 'often', LOG_LEVEL: 'loud', OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://x' };

  it('is refused with every problem at once, exit code 2', async () => {
    const { bridge } = await setUp({ environment: wrong });
    expect(await bridge.ended).toEqual({ code: 2, signal: null });
    const { problems } = await bridge.said('Configuration is invalid');
    expect(problems).toHaveLength(3);
    for (const variable of Object.keys(wrong)) expect(JSON.stringify(problems)).toContain(variable);
  });

  it('is a pattern on Node 20, which has no glob', async () => {
    const preload = join(temporaryFolder(), 'node-20.cjs');
    writeFileSync(preload, `delete require('node:fs/promises').glob;`);
    const { bridge } = await setUp({
      preload: pathToFileURL(preload).href,
      environment: { METRICS_FILE_PATH: '/runs/*.csv', RANK_FILES: '/shared/metrics/rank-?.json' },
    });
    expect(await bridge.ended).toEqual({ code: 2, signal: null });
    const { problems } = await bridge.said('Configuration is invalid');
    const problem = (variable: string) =>
      expect.stringMatching(new RegExp(`${variable}.*patterns need Node 22 or newer, and this is v`));
    expect(problems).toEqual(['METRICS_FILE_PATH', 'RANK_FILES'].map(problem));
  });

  it.each(['exit', 'idle'])(
    'in container mode ends at once with 0, also with ON_CONFIG_ERROR=%s',
    async (onError) => {
      const { bridge } = await setUp({
        environment: { ...wrong, SIDECAR_MODE: 'container', ON_CONFIG_ERROR: onError },
      });
      expect(await bridge.ended).toEqual({ code: 0, signal: null });
      await bridge.said('Configuration is invalid');
    },
  );

  it('idles when told so: live, because the shipped probe would restart it for ever, and not ready, until SIGTERM', async () => {
    const port = await freePort();
    const { bridge } = await setUp({
      environment: { ...wrong, ON_CONFIG_ERROR: 'idle', HEALTH_PORT: String(port) },
    });
    const probe = await until(
      () => fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined),
      'health',
    );
    expect(probe.status).toBe(503);
    expect(await probe.json()).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/COLLECTION_INTERVAL.*; .*LOG_LEVEL/),
    });
    const live = await fetch(`http://127.0.0.1:${port}/livez`);
    expect(live.status).toBe(200);
    expect(await live.json()).toMatchObject({ status: 'ok', reason: expect.stringContaining('idle') });
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
  });

  it('idles with health off, too', async () => {
    const { bridge } = await setUp({ environment: { ...wrong, ON_CONFIG_ERROR: 'idle' } });
    await bridge.said('ON_CONFIG_ERROR=idle: waiting for SIGTERM without doing anything');
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
  });
});

describe('health', () => {
  it('is served, and says why', async () => {
    const port = await freePort();
    const { bridge } = await setUp({ environment: { HEALTH_PORT: String(port) } });
    const ready = await until(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      return response?.status === 200 && response;
    }, 'readiness without a file');
    expect(await ready.json()).toMatchObject({ status: 'ok', reason: expect.stringContaining('missing') });
    const live = await fetch(`http://127.0.0.1:${port}/livez`);
    expect(live.status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    bridge.child.kill('SIGTERM');
    expect((await bridge.ended).code).toBe(0);
  });

  it('names an address that cannot be resolved, with the likely fix, as one log line does', async () => {
    const port = await freePort();
    const { bridge } = await setUp({
      environment: {
        HEALTH_PORT: String(port),
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://no-such-host.invalid:4317',
        SHUTDOWN_TIMEOUT: '0.3',
      },
    });
    const ready = await until(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      const body = (await response?.json()) as { reason: string } | undefined;
      return body?.reason.includes('the last export failed') && { status: response?.status, ...body };
    }, 'the failed export');
    expect(ready).toMatchObject({
      status: 'ok',
      reason: expect.stringMatching(
        /no-such-host\.invalid.*\. (Correct the host in OTEL_EXPORTER_OTLP_ENDPOINT|The DNS)/,
      ),
    });
    bridge.child.kill('SIGTERM');
    await bridge.ended;
    const lines = bridge.log.filter(({ message }) => message.startsWith('Collector cannot be reached'));
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        endpoint: 'no-such-host.invalid:4317',
        advice: expect.any(String),
      }),
    ]);
  });

  it('on a port that is taken costs health alone', async () => {
    const taken = createServer().listen(0);
    onTestFinished(() => void taken.close());
    await until(() => taken.listening, 'the port to be taken');
    const { receiver, file, bridge } = await setUp({
      environment: { HEALTH_PORT: String((taken.address() as AddressInfo).port) },
    });
    replaceFile(file, exampleText());
    await receiver.waitFor(() => lastLoss(receiver) === 1.2345, 'the loss');
    expect(bridge.log).toContainEqual(
      expect.objectContaining({
        level: 'error',
        reason: expect.stringContaining('EADDRINUSE'),
        message: expect.stringContaining('Set HEALTH_PORT'),
      }),
    );
  });
});

describe('settings that do not fit together', () => {
  it.each([
    ['STALE_AFTER', '300', 'gauges go stale between polls'],
    ['STALL_AFTER', '250', 'a run is reported as stalled between polls'],
  ])('are a warning at the start: %s', async (variable, seconds, effect) => {
    const environment = { COLLECTION_INTERVAL: '300', STALE_AFTER: '600', [variable]: seconds };
    const { bridge } = await setUp({ environment });
    const message = `COLLECTION_INTERVAL (300 s) is not below ${variable} (${seconds} s): ${effect}`;
    expect(await bridge.said(message)).toMatchObject({ level: 'warn' });
    bridge.child.kill('SIGTERM');
    await bridge.ended;
    expect(bridge.log.filter(({ message: it }) => it.startsWith('COLLECTION_INTERVAL'))).toHaveLength(1);
  });
});

describe('arguments', () => {
  it('that are no command are refused', async () => {
    const process = startProcess({ environment: {}, args: ['observe'] });
    expect(await process.ended).toEqual({ code: 2, signal: null });
    expect(process.stderr()).toContain('unknown command "observe"');
  });
});

describe('OTEL_METRICS_EXPORTER=console', () => {
  it('prints what would be sent, a line for each metric', async () => {
    const { receiver, file, bridge } = await setUp({ environment: { OTEL_METRICS_EXPORTER: 'console' } });
    replaceFile(file, exampleText({ metrics: { x_noise: 0.1 + 0.2 } }));
    const line = (name: string) =>
      bridge.log.find(({ message }) => message.trim().startsWith(`${name} `))?.message;
    await until(() => line('ml.training.loss'), 'the loss');
    expect(line('ml.training.loss')).toMatch(/^ {2}ml\.training\.loss +1\.2345$/);
    expect(line('ml.training.x_noise')).toMatch(/ 0\.3$/);
    expect(line('ml.training.processing_time')).toMatch(/ 238 ms \(mean of 1\)$/);
    expect(line('ml.training.run.state')).toMatch(/ waiting: 0, running: 1, stalled: 0, /);
    const header = bridge.log.find(({ message }) => message.includes('job.id='))?.message;
    expect(header).toMatch(/^\S+Z job\.id=training-job-001 model\.name=resnet-50 dataset=imagenet$/);
    bridge.child.kill('SIGTERM');
    expect((await bridge.ended).code).toBe(0);
    expect(receiver.requests).toEqual([]);
  });
});
