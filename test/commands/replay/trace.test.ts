import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { startBridge } from '../../support/bridge.ts';
import { temporaryFolder } from '../../support/file.ts';
import { commandLine } from '../../support/terminal.ts';
import { until } from '../../support/until.ts';
import { type ReceivedSpan, startTraceReceiver } from '../../tracing/support/trace-receiver.ts';
import { folderOf, receiver, startMs, valuesOf } from './support.ts';

// A thousand records and their spans: nearly 30 s on a machine that is busy with other work.
vi.setConfig({ testTimeout: 120_000 });

const batches = 4;

/** Epochs of four records, 10 s apart. */
const epochLines = (epochs: number, firstMs = startMs): string =>
  Array.from({ length: epochs * batches }, (_, index) =>
    JSON.stringify({
      timestamp: (firstMs + index * 10_000) / 1000,
      step: index + 1,
      epoch: 1 + Math.floor(index / batches),
      loss: 1 / (index + 1),
    }),
  )
    .map((line) => `${line}\n`)
    .join('');

/** Both signals have a receiver of their own, as a server has one service of a name. */
async function receivers() {
  const [metrics, traces] = [await receiver(), await startTraceReceiver()];
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: metrics.endpoint,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces.endpoint,
  };
  return { metrics, traces, environment };
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
const seconds = (count: number) => startMs + count * 1000;
const times = ({ startMs, endMs }: ReceivedSpan) => [startMs, endMs];
const contentOf = ({ name, traceId, spanId, parentSpanId, startMs, endMs, attributes }: ReceivedSpan) =>
  JSON.stringify({ name, traceId, spanId, parentSpanId, startMs, endMs, attributes });

describe('replay --trace', () => {
  it('sends the run and its epochs with their own times, beside all points', async () => {
    const { metrics, traces, environment } = await receivers();
    const folder = folderOf({ 'resnet/train.jsonl': epochLines(3) });
    const { code, text } = await commandLine(['replay', folder, '--trace'], { environment });
    expect(code).toBe(0);
    const [run] = named(traces.spans, 'training.run');
    const epochs = named(traces.spans, 'training.epoch');
    expect(run).toMatchObject({
      startMs: seconds(0),
      endMs: seconds(110),
      attributes: { 'training.job_id': 'resnet', 'training.run.state': 'ended', 'training.epoch': 3 },
    });
    expect(run?.attributes).not.toHaveProperty('training.run.partial');
    expect(epochs.map(({ attributes }) => attributes['training.epoch'])).toEqual([1, 2, 3]);
    expect(epochs.map(times)).toEqual([
      [seconds(0), seconds(30)],
      [seconds(30), seconds(70)],
      [seconds(70), seconds(110)],
    ]);
    expect(epochs.map(({ attributes }) => attributes['training.loss'])).toEqual([1 / 4, 1 / 8, 1 / 12]);
    expect(epochs.every(({ parentSpanId }) => parentSpanId === run?.spanId)).toBe(true);
    expect(traces.spans).toHaveLength(5);
    expect(valuesOf(metrics, 'ml.training.loss').size).toBe(12);
    expect(text).toContain(`5 spans of 1 traced run:\n  ${run?.traceId} resnet\n`);
    expect(text).toContain('All points and spans were accepted.');
  });

  it('sends the spans that a bridge sends that follows the run', async () => {
    const live = await startTraceReceiver();
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'resnet'));
    const file = join(folder, 'resnet/train.jsonl');
    const bridge = await startBridge({
      file,
      environment: {
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: live.endpoint,
        METRICS_FILE_FORMAT: 'jsonl',
      },
    });
    // A bridge that finds the file gives its spans ids of their own.
    await bridge.outcome('missing');
    const lines = epochLines(2, Date.now() - 1_000).split('\n');
    for (const line of lines.slice(0, -1)) appendFileSync(file, `${line}\n`);
    await until(() => valuesOf(bridge.receiver, 'ml.training.loss').size >= 2 * batches, 'all records');
    await bridge.stop();
    const { traces, environment } = await receivers();
    await commandLine(['replay', folder, '--trace'], { environment });
    expect(traces.spans.map(contentOf).sort()).toEqual(live.spans.map(contentOf).sort());
  });

  it('makes a trace of each of several runs', async () => {
    const { traces, environment } = await receivers();
    const files = {
      'a/train.jsonl': epochLines(1),
      'b/train.jsonl': epochLines(2) + epochLines(1, seconds(1_000)),
    };
    await commandLine(['replay', folderOf(files), '--trace'], { environment });
    const runs = named(traces.spans, 'training.run');
    expect(runs.map(({ attributes }) => attributes['training.job_id'])).toEqual(['a', 'b', 'b']);
    expect(runs.map(times)).toEqual([
      [seconds(0), seconds(30)],
      [seconds(0), seconds(70)],
      [seconds(1_000), seconds(1_030)],
    ]);
    expect(new Set(runs.map(({ traceId }) => traceId)).size).toBe(3);
  });

  it('uses the times of --start and --interval for a log without times', async () => {
    const { traces, environment } = await receivers();
    const folder = folderOf({ 'a/log.csv': 'epoch,step,loss\n1,1,3\n1,2,2\n2,3,1\n' });
    const args = ['--start', '2026-11-20T10:00:00Z', '--interval', '60'];
    await commandLine(['replay', folder, '--trace', ...args], { environment });
    expect(named(traces.spans, 'training.epoch').map(times)).toEqual([
      [seconds(0), seconds(60)],
      [seconds(60), seconds(120)],
    ]);
  });

  it('puts the run into the trace of TRACEPARENT', async () => {
    const { traces, environment } = await receivers();
    const [traceId, parent] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const folder = folderOf({ 'a/train.jsonl': epochLines(1) });
    const TRACEPARENT = `00-${traceId}-${parent}-01`;
    await commandLine(['replay', folder, '--trace'], { environment: { ...environment, TRACEPARENT } });
    expect(named(traces.spans, 'training.run')).toMatchObject([{ traceId, parentSpanId: parent }]);
  });

  it('sends no spans without --trace, nor with --dry-run', async () => {
    const { traces, environment } = await receivers();
    const folder = folderOf({ 'a/train.jsonl': epochLines(2) });
    await commandLine(['replay', folder], { environment: { ...environment, OTEL_TRACES_EXPORTER: 'otlp' } });
    const { text } = await commandLine(['replay', folder, '--trace', '--dry-run'], { environment });
    expect(traces.spans).toEqual([]);
    expect(text).toContain('4 spans of 1 traced run:');
  });

  it('goes on with --from: every span arrives, and one that arrives twice has the same id', async () => {
    const { metrics, traces, environment } = await receivers();
    const folder = folderOf({ 'a/train.jsonl': epochLines(250), 'b/train.jsonl': epochLines(10) });
    /** Of each run, its beginning and its end. */
    const spans = 2 + 250 + 2 + 10;
    const controller = new AbortController();
    metrics.reply((_request, n) => {
      if (n === 2) controller.abort();
      return { status: 'ok' };
    });
    const args = ['replay', folder, '--trace'];
    const stopped = await commandLine(args, { environment, signal: controller.signal });
    const from = /--from (\d+)/.exec(stopped.errors)?.[1] ?? '';
    const before = traces.spans.length;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(spans);
    const { code } = await commandLine([...args, '--from', from], { environment });
    expect(code).toBe(0);
    const sent = new Map(traces.spans.map((span) => [span.spanId, contentOf(span)]));
    expect(sent.size).toBe(spans);
    for (const span of traces.spans) expect(contentOf(span)).toBe(sent.get(span.spanId));
  });

  it('explains that the Collector takes no traces, and stops', async () => {
    const { traces, environment } = await receivers();
    traces.answer(status.UNIMPLEMENTED);
    const folder = folderOf({ 'a/train.jsonl': epochLines(1) });
    const { code, errors } = await commandLine(['replay', folder, '--trace'], { environment });
    expect(code).toBe(1);
    expect(errors).toContain('The Collector takes no traces: configure a pipeline for them');
    expect(errors).toContain('0 of 4 records arrived');
  });

  it('sends the spans to the Collector while --output writes the points', async () => {
    const traces = await startTraceReceiver();
    const folder = folderOf({ 'a/train.jsonl': epochLines(2) });
    const output = join(folder, 'out.om');
    writeFileSync(output, 'old');
    const args = ['replay', folder, '--trace', '--endpoint', traces.endpoint, '--output', output];
    const { code, text } = await commandLine(args);
    expect(code).toBe(0);
    expect(named(traces.spans, 'training.epoch')).toHaveLength(2);
    expect(text).toContain(`${output} is written.`);
    expect(text).toContain('All spans were accepted.');
  });
});
