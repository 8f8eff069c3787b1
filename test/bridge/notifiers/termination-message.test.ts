import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startBridge } from '../../support/bridge.ts';
import { type FileOverrides, temporaryFolder } from '../../support/file.ts';
import { until } from '../../support/until.ts';

/** The message of a bridge that reads these files, one after the other. */
async function messageOf(
  files: readonly FileOverrides[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const path = join(temporaryFolder(), 'termination-log');
  writeFileSync(path, 'x'.repeat(10_000));
  const bridge = await startBridge({ environment: { TERMINATION_MESSAGE_PATH: path, ...environment } });
  for (const file of files) await bridge.write(file);
  await bridge.stop();
  // On a slow machine the deadline may pass during the write.
  return until(() => {
    const message = readFileSync(path, 'utf8');
    return message.endsWith('}') && message;
  }, 'the message');
}

const losses = (training_loss: number, validation_loss: number | undefined, global_step: number) => ({
  metrics: { training_loss, validation_loss, global_step },
});

describe('the termination message', () => {
  it('has the state, the final and the best losses of a run', async () => {
    const last = { ...losses(1.5, 1.75, 3), top: { status: 'completed' } };
    const message = await messageOf([losses(2, 2.5, 1), losses(1.25, undefined, 2), last]);
    expect(JSON.parse(message)).toEqual({
      state: 'completed',
      jobId: 'training-job-001',
      epoch: 3,
      batches: 3,
      trainingLoss: 1.5,
      bestTrainingLoss: 1.25,
      validationLoss: 1.75,
      bestValidationLoss: 1.75,
      nonFiniteValues: 0,
      undelivered: 0,
    });
  });

  it('has the error of a run that failed, its NaNs and the trace', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const environment = {
      OTEL_TRACES_EXPORTER: 'otlp',
      TRACEPARENT: `00-${traceId}-b7ad6b7169203331-01`,
      RANK: '0',
    };
    const error = { type: 'FloatingPointError', message: 'loss is NaN' };
    const last = { ...losses(Number.NaN, 1, 2), top: { status: 'failed', error } };
    const message = await messageOf([losses(2, 2, 1), last], environment);
    expect(JSON.parse(message)).toMatchObject({
      state: 'failed',
      rank: 0,
      trainingLoss: 'NaN',
      bestTrainingLoss: 2,
      nonFiniteValues: 1,
      traceId,
      error,
    });
  });

  it('is about the last run, if there were several', async () => {
    const restarted = { job: { start_time: '2025-10-24T00:00:00Z' }, metrics: { training_loss: 5 } };
    const message = await messageOf([losses(1, 1, 1), restarted]);
    expect(JSON.parse(message)).toMatchObject({ state: 'ended', trainingLoss: 5, bestTrainingLoss: 5 });
  });

  it('counts what was not delivered', async () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', SHUTDOWN_TIMEOUT: '2' };
    const message = await messageOf([losses(1, 1, 1)], environment);
    expect(JSON.parse(message).undelivered).toBeGreaterThan(0);
  });

  it('says waiting where there was no run', async () => {
    expect(JSON.parse(await messageOf([]))).toEqual({ state: 'waiting', undelivered: 0 });
  });

  it.each(['€', '\u0001', '😀'])('has at most 4 KiB with long texts of %j', async (character) => {
    const text = `a${character.repeat(5_000)}`;
    const file = { job: { job_id: text }, top: { status: 'failed', error: { type: text, message: text } } };
    const message = await messageOf([file]);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096);
    expect(JSON.parse(message)).toMatchObject({ state: 'failed', undelivered: 0 });
    // Texts are cut between characters, and a cut one ends in an ellipsis.
    expect(message).not.toMatch(/\\ud[89a-f]/i);
    expect(JSON.parse(message).error.message).toMatch(/…$/);
  });

  it('is not written where there is no such file', async () => {
    const path = join(temporaryFolder(), 'termination-log');
    const bridge = await startBridge({ environment: { TERMINATION_MESSAGE_PATH: path } });
    await bridge.write({});
    await bridge.stop();
    expect(existsSync(path)).toBe(false);
    expect(bridge.log.filter(({ level }) => level === 'warn')).toEqual([]);
  });
});
