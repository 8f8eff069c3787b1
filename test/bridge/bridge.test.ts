import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { runStates, trainingMetrics } from '../../src/catalogue/metrics.ts';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { startBridge } from '../support/bridge.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';

const labels = { 'job.id': 'training-job-001', 'model.name': 'resnet-50', dataset: 'imagenet' };
const last = (receiver: Receiver, metric: string) => receiver.points(metric).at(-1);
const arrived = (receiver: Receiver, metric: string, value: number) =>
  receiver.waitFor(() => Object.is(last(receiver, metric)?.value, value), `${metric} ${value}`);

describe('the contract of the metrics', () => {
  const contract = [
    ['ml.training.loss', 'gauge', '', 1.2345],
    ['ml.validation.loss', 'gauge', '', 1.3456],
    ['ml.training.accuracy', 'gauge', '', 0.6789],
    ['ml.training.learning_rate', 'gauge', '', 0.000857375],
    ['ml.training.gpu_utilization', 'gauge', '', 0.923],
    ['ml.training.batch_number', 'sum', '{batch}', 45],
    ['ml.training.epoch', 'sum', '{epoch}', 3],
    ['ml.training.processing_time', 'histogram', 'ms', 238],
    ['ml.training.samples_per_second', 'histogram', '{sample/s}', 134.45],
  ] as const;

  it.each(contract)('%s is a %s with unit "%s" and carries the value', async (metric, kind, unit, value) => {
    const { receiver, write } = await startBridge();
    await write({});
    await arrived(receiver, metric, value);
    const point = last(receiver, metric);
    expect(point).toMatchObject({ kind, unit, value, attributes: labels, scope: 'ml-metrics-bridge' });
    if (kind !== 'gauge') expect(point?.temporality).toBe('cumulative');
    if (kind === 'sum') expect(point?.monotonic).toBe(true);
    if (kind === 'histogram') expect(point?.count).toBe(1);
  });

  it('has the histogram bounds users query by', async () => {
    const { receiver, write } = await startBridge();
    await write({});
    await arrived(receiver, 'ml.training.processing_time', 238);
    const bounds = (metric: string) => last(receiver, metric)?.bounds;
    expect(bounds('ml.training.processing_time')).toEqual([
      1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 60_000,
    ]);
    expect(bounds('ml.training.samples_per_second')).toEqual([
      0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
      200_000, 500_000, 1_000_000,
    ]);
  });

  it('can have exponential histograms instead', async () => {
    const name = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION';
    const { receiver, write } = await startBridge({
      environment: { [name]: 'base2_exponential_bucket_histogram' },
    });
    await write({});
    await arrived(receiver, 'ml.training.processing_time', 238);
    expect(last(receiver, 'ml.training.processing_time')).toMatchObject({
      kind: 'exponential_histogram',
      count: 1,
    });
  });

  it('never has epoch, batch or step as an attribute, and the same attributes in every snapshot', async () => {
    const { receiver, write } = await startBridge();
    for (let step = 1; step <= 12; step++) {
      await write({
        metrics: {
          epoch: Math.ceil(step / 4),
          batch_number: ((step - 1) % 4) + 1,
          global_step: step,
          own: step,
        },
      });
    }
    await arrived(receiver, 'ml.training.batch_number', 12);
    const points = receiver.requests.flatMap((request) => request.points);
    const keys = new Set(points.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...keys].sort()).toEqual([
      'dataset',
      'field',
      'job.id',
      'model.name',
      'outcome',
      'reason',
      'state',
    ]);
    const series = new Set(
      points
        .filter(({ metric, attributes }) => metric.startsWith('ml.training') && 'job.id' in attributes)
        .map((it) => `${it.metric}${JSON.stringify(it.attributes)}`),
    );
    // The nine, less the validation loss of another prefix, the extra, the last step, the two losses' non_finite and six states.
    expect(series.size).toBe(8 + 1 + 1 + 2 + runStates.length);
  });

  it('says who it is, the same after a restart', async () => {
    const first = await startBridge();
    await first.write({});
    await arrived(first.receiver, 'ml.training.loss', 1.2345);
    await first.stop();
    const receiver = await startReceiver();
    await startBridge({ file: first.file, receiver });
    await arrived(receiver, 'ml.training.loss', 1.2345);
    const before = last(first.receiver, 'ml.training.loss')?.resource;
    const after = last(receiver, 'ml.training.loss')?.resource;
    expect(before).toMatchObject({ 'service.name': 'ml-metrics-bridge' });
    expect(after?.['service.instance.id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-/);
    expect(after).toEqual(before);
  });

  it('is namespace.pod.container in Kubernetes', async () => {
    const given = 'k8s.namespace.name=ml,k8s.pod.name=train-0,k8s.container.name=otel-metrics-bridge';
    const { receiver, write } = await startBridge({ environment: { OTEL_RESOURCE_ATTRIBUTES: given } });
    await write({});
    await arrived(receiver, 'ml.training.loss', 1.2345);
    expect(last(receiver, 'ml.training.loss')?.resource['service.instance.id']).toBe(
      'ml.train-0.otel-metrics-bridge',
    );
  });

  it('has the namespace on every point, so that two tenants with one job_id stay apart', async () => {
    const receiver = await startReceiver();
    const tenants = await Promise.all(
      ['team-a', 'team-b'].map((namespace) =>
        startBridge({
          receiver,
          environment: { OTEL_RESOURCE_ATTRIBUTES: `k8s.namespace.name=${namespace}` },
          config: { exportIntervalMs: 20 },
        }),
      ),
    );
    await Promise.all(
      tenants.map(({ write }, index) => write({ metrics: { training_loss: index === 0 ? 'NaN' : 1 } })),
    );
    const ofRun = (name: string, namespace: string) =>
      receiver.points(name).findLast((it) => it.attributes['k8s.namespace.name'] === namespace);
    const nonFinite = (namespace: string) =>
      receiver
        .points('ml.training.non_finite')
        .findLast(
          ({ attributes }) =>
            attributes['k8s.namespace.name'] === namespace && attributes.field === 'training_loss',
        );
    await receiver.waitFor(
      () => ['team-a', 'team-b'].every((it) => ofRun('ml.bridge.last_success_time', it) && nonFinite(it)),
      'both tenants',
    );
    expect(nonFinite('team-a')).toMatchObject({ value: 1, attributes: { 'job.id': 'training-job-001' } });
    expect(nonFinite('team-b')).toMatchObject({ value: 0, attributes: { 'job.id': 'training-job-001' } });
    await Promise.all(tenants.map(({ stop }) => stop()));
    for (const { metric, attributes } of receiver.requests.flatMap(({ points }) => points))
      expect(attributes['k8s.namespace.name'], metric).toMatch(/^team-[ab]$/);
  });

  it('has the rank of the file, else of the environment, and none where there is none', async () => {
    const { receiver, write } = await startBridge({ environment: { RANK: '3' } });
    await write({});
    await arrived(receiver, 'ml.training.loss', 1.2345);
    expect(last(receiver, 'ml.training.loss')?.attributes.rank).toBe(3);
    await write({ job: { rank: 7, start_time: '2025-10-24T00:00:00Z' }, metrics: { training_loss: 2 } });
    await arrived(receiver, 'ml.training.loss', 2);
    expect(last(receiver, 'ml.training.loss')?.attributes.rank).toBe(7);
  });
});

describe('extra fields', () => {
  it('arrive as gauges', async () => {
    const { receiver, write } = await startBridge();
    await write({ metrics: { x_custom: 4.5, X_Other: '12.25' } });
    await arrived(receiver, 'ml.training.x_custom', 4.5);
    expect(last(receiver, 'ml.training.x_custom')).toMatchObject({
      kind: 'gauge',
      unit: '',
      attributes: labels,
    });
    expect(last(receiver, 'ml.training.x_other')?.value).toBe(12.25);
  });

  it('keep their name where the bridge computes a metric of that name', async () => {
    const { receiver, write, stop } = await startBridge();
    const totals = { global_step: 10, total_steps: 40 };
    await write({ metrics: totals });
    await arrived(receiver, 'ml.training.progress', 0.25);
    await write({ metrics: { ...totals, global_step: 20, progress: 77, estimated_remaining: 12 } });
    await arrived(receiver, 'ml.training.progress', 77);
    await write({ metrics: { ...totals, global_step: 30, training_loss: 3 } });
    await arrived(receiver, 'ml.training.loss', 3);
    await stop();
    const values = (name: string) => receiver.points(name).map(({ value }) => value);
    expect(new Set(values('ml.training.progress'))).toEqual(new Set([0.25, 77]));
    expect(new Set(values('ml.training.estimated_remaining'))).toEqual(new Set([12]));
  });

  it('that are hostile change no metric of the contract and are counted', async () => {
    const { receiver, write, stop } = await startBridge();
    const hostile = {
      epoch_total: 99,
      run_state: 98,
      'x-custom': 97,
      x_custom: 4,
      loss_: 96,
      non_finite: 95,
      processing_time: 94,
    };
    await write(
      `${JSON.stringify({ training_metrics: { ...hostile, epoch: 3, training_loss: 1.5 } }).slice(0, -2)},"__proto__":93,"constructor":92}}`,
    );
    await arrived(receiver, 'ml.training.loss', 1.5);
    await stop();
    const request = receiver.requests.at(-1);
    const values = (request?.points ?? [])
      .filter((it) => it.metric.startsWith('ml.training'))
      .map((it) => it.value);
    for (const value of [99, 98, 97, 96, 95, 94, 93]) expect(values).not.toContain(value);
    expect(last(receiver, 'ml.training.x_custom')?.value).toBe(4);
    expect(last(receiver, 'ml.training.constructor')?.value).toBe(92);
    expect(last(receiver, 'ml.training.epoch')?.value).toBe(3);
    const skipped = (request?.points ?? []).filter((it) => it.metric === 'ml.bridge.fields_skipped');
    expect(
      Object.fromEntries(skipped.map((it) => [`${it.attributes.field} ${it.attributes.reason}`, it.value])),
    ).toEqual({
      'extra name_taken': 5,
      'extra invalid_name': 2,
    });
  });

  it('are bounded over the whole run, first come first served', async () => {
    const { receiver, write, log, stop } = await startBridge();
    for (let part = 0; part < 10; part++) {
      const names = Array.from({ length: 100 }, (_, index) => [`own_${part * 100 + index}`, index]);
      await write({ metrics: { ...Object.fromEntries(names), own_0: part, batch_number: part } });
    }
    await arrived(receiver, 'ml.training.batch_number', 9);
    await stop();
    const own = receiver.requests
      .flatMap(({ points }) => points)
      .filter(({ metric }) => metric.includes('own_'));
    expect(new Set(own.map(({ metric }) => metric)).size).toBe(50);
    expect(last(receiver, 'ml.training.own_0')?.value).toBe(9);
    const tooMany = receiver
      .points('ml.bridge.fields_skipped')
      .filter(({ attributes }) => attributes.reason === 'too_many');
    // 50 of the first hundred, then a hundred less own_0, which has its place, each time.
    expect(tooMany.at(-1)?.value).toBe(50 + 9 * 100);
    expect(log.filter(({ message }) => message.includes('MAX_EXTRA_METRICS'))).toHaveLength(1);
  });

  it('can be turned off', async () => {
    const { receiver, write } = await startBridge({ environment: { MAX_EXTRA_METRICS: '0' } });
    await write({ metrics: { x_custom: 4.5 } });
    await arrived(receiver, 'ml.training.loss', 1.2345);
    expect(receiver.points('ml.training.x_custom')).toEqual([]);
  });
});

describe('a run', () => {
  it('counts a thousand snapshots over ten epochs exactly, however often each is polled', {
    timeout: 60_000,
  }, async () => {
    const { receiver, write, polled } = await startBridge({ config: { collectionIntervalMs: 1 } });
    for (let epoch = 1; epoch <= 10; epoch++) {
      for (let batch = 1; batch <= 100; batch++) {
        await write({
          metrics: { epoch, batch_number: batch, processing_time_ms: epoch, samples_per_second: 2 },
        });
        if (batch % 10 === 0) await polled(2);
      }
    }
    await arrived(receiver, 'ml.training.batch_number', 1000);
    for (const metric of ['ml.training.batch_number', 'ml.training.epoch']) {
      const values = receiver.points(metric).map(({ value }) => value);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
    expect(last(receiver, 'ml.training.epoch')?.value).toBe(10);
    expect(last(receiver, 'ml.training.processing_time')).toMatchObject({ count: 1000, value: 5500 });
    expect(last(receiver, 'ml.training.samples_per_second')).toMatchObject({ count: 1000, value: 2000 });
  });

  it.each([
    ['lower', 1],
    ['higher', 500],
  ])(
    'restarted with a %s first value has a new start time, and the old one is exported no more',
    async (_name, batch) => {
      const { receiver, write } = await startBridge();
      await write({ metrics: { batch_number: 100 } });
      await arrived(receiver, 'ml.training.batch_number', 100);
      const old = last(receiver, 'ml.training.batch_number');
      await write({
        job: { start_time: '2025-10-24T00:00:00Z' },
        metrics: { batch_number: batch, epoch: 1 },
      });
      await arrived(receiver, 'ml.training.batch_number', batch);
      const seen = receiver.requests.length;
      await write({
        job: { start_time: '2025-10-24T00:00:00Z' },
        metrics: { batch_number: batch + 1, epoch: 1 },
      });
      await arrived(receiver, 'ml.training.batch_number', batch + 1);
      for (const metric of ['ml.training.batch_number', 'ml.training.epoch', 'ml.training.processing_time']) {
        const after = receiver.requests
          .slice(seen)
          .flatMap(({ points }) => points.filter((it) => it.metric === metric));
        expect(after.length).toBeGreaterThan(0);
        for (const point of after)
          expect(point.startTimeMs).toBeGreaterThan(old?.startTimeMs ?? Number.POSITIVE_INFINITY);
      }
      expect(last(receiver, 'ml.training.processing_time')?.count).toBe(2);
      expect(last(receiver, 'ml.training.epoch')?.value).toBe(1);
    },
  );

  it('of another job ends the old one: one last state, then nothing', async () => {
    const { receiver, write } = await startBridge();
    await write({});
    await arrived(receiver, 'ml.training.loss', 1.2345);
    await write({ job: { job_id: 'another' }, metrics: { training_loss: 9 } });
    await arrived(receiver, 'ml.training.loss', 9);
    const ended = receiver
      .points('ml.training.run.state')
      .filter(({ attributes, value }) => attributes.state === 'ended' && value === 1);
    expect(ended.map(({ attributes }) => attributes['job.id'])).toEqual(['training-job-001']);
    const seen = receiver.requests.length;
    await write({ job: { job_id: 'another' }, metrics: { training_loss: 10 } });
    await arrived(receiver, 'ml.training.loss', 10);
    const jobs = receiver.requests
      .slice(seen)
      .flatMap(({ points }) => points.map(({ attributes }) => attributes['job.id']));
    expect(jobs).not.toContain('training-job-001');
  });

  it('goes on as a reset, never a negative step, when the bridge restarts in the middle', async () => {
    const first = await startBridge();
    await first.write({ metrics: { epoch: 1, batch_number: 100 } });
    await first.write({ metrics: { epoch: 2, batch_number: 45 } });
    await first.stop();
    const receiver = await startReceiver();
    await startBridge({ file: first.file, receiver });
    await arrived(receiver, 'ml.training.batch_number', 45);
    const [before, after] = [first.receiver, receiver].map((it) => last(it, 'ml.training.batch_number'));
    expect(before?.value).toBe(145);
    expect(after?.startTimeMs).toBeGreaterThan(before?.timeMs ?? Number.POSITIVE_INFINITY);
  });

  it('says waiting before there is a file, without a job', async () => {
    const { receiver } = await startBridge({ environment: { OTEL_METRIC_EXPORT_INTERVAL: '10' } });
    await receiver.waitFor(() => receiver.points('ml.training.run.state').length > 0, 'a state');
    const states = receiver.points('ml.training.run.state').slice(0, runStates.length);
    expect(Object.fromEntries(states.map(({ attributes, value }) => [attributes.state, value]))).toEqual({
      waiting: 1,
      running: 0,
      stalled: 0,
      completed: 0,
      failed: 0,
      ended: 0,
    });
    expect(states.every(({ attributes }) => Object.keys(attributes).join() === 'state')).toBe(true);
  });

  it.each([
    ['completed', undefined],
    ['failed', { type: 'ValueError', message: 'shapes differ' }],
  ] as const)('that the file says has %s says so', async (status, error) => {
    const { receiver, write, log } = await startBridge();
    await write({ top: { status: 'running' } });
    await write({ top: { status, error } });
    const isState = () =>
      receiver.points('ml.training.run.state').some((it) => it.attributes.state === status && it.value === 1);
    await receiver.waitFor(isState, status);
    expect(log).toContainEqual(expect.objectContaining({ message: `Training run ${status}` }));
  });
});

describe('delivery', () => {
  it('brings ten snapshots through a receiver that takes a second, in order, each with its own value and time', async () => {
    const { receiver, write, polls } = await startBridge();
    receiver.reply(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return { status: 'ok' };
    });
    for (let step = 1; step <= 10; step++)
      await write({ metrics: { training_loss: step, batch_number: step } });
    await arrived(receiver, 'ml.training.loss', 10);
    const points = receiver.points('ml.training.loss');
    expect(points.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const read = polls.filter(({ outcome }) => outcome.status === 'ok').map(({ moment }) => moment.unixMs);
    for (const [index, { timeMs }] of points.entries()) {
      // The next snapshot had not been read yet when this one's points were stamped.
      expect(timeMs).toBeGreaterThanOrEqual(read[index] ?? Number.POSITIVE_INFINITY);
      expect(timeMs).toBeLessThanOrEqual((read[index + 1] ?? Number.POSITIVE_INFINITY) + 1);
    }
  });

  it('keeps what could not be sent and brings it when the Collector is back', async () => {
    const { receiver, write, log } = await startBridge({
      environment: { OTEL_METRIC_EXPORT_INTERVAL: '100' },
    });
    receiver.reply(() => ({ status: 'error', code: 14 }));
    for (let step = 1; step <= 5; step++) await write({ metrics: { training_loss: step } });
    await receiver.waitFor(() => receiver.requests.length > 2, 'some refusals');
    receiver.reply(() => ({ status: 'ok' }));
    await arrived(receiver, 'ml.training.loss', 5);
    const values = receiver.points('ml.training.loss').map(({ value }) => value);
    expect(values.filter((value, index) => value !== values[index - 1])).toEqual([1, 2, 3, 4, 5]);
    const later = 'Collector answers that it cannot accept data now: it is sent again until it is accepted';
    expect(log.filter(({ message }) => message === later)).toHaveLength(1);
    expect(log.filter(({ message }) => message.startsWith('Collector cannot be reached'))).toEqual([]);
    await until(() => log.some(({ message }) => message === 'Collector is back'), 'the recovery in the log');
  });

  it('keeps series alive without news', async () => {
    const { receiver, write } = await startBridge({ environment: { OTEL_METRIC_EXPORT_INTERVAL: '20' } });
    await write({});
    await receiver.waitFor(() => receiver.points('ml.training.loss').length >= 5, 'five exports');
    const points = receiver.points('ml.training.loss');
    expect(new Set(points.map(({ timeMs }) => timeMs)).size).toBe(points.length);
    expect(last(receiver, 'ml.training.processing_time')?.count).toBe(1);
  });

  it('sends its own metrics and an unchanged state at first, with the first snapshot, and last within an export interval', async () => {
    const { receiver, write, stop } = await startBridge();
    // Otherwise the first poll may find the file already, and the first export be that of a snapshot.
    await receiver.waitFor(() => receiver.requests.length > 0, 'the first heartbeat');
    for (let loss = 1; loss <= 5; loss++) {
      await write({ metrics: { training_loss: loss } });
      await arrived(receiver, 'ml.training.loss', loss);
    }
    await stop();
    const has = (prefix: string) =>
      receiver.requests.map(({ points }) => points.some(({ metric }) => metric.startsWith(prefix)));
    const [own, state] = [has('ml.bridge.'), has('ml.training.run.state')];
    expect(own.length).toBeGreaterThan(5);
    for (const sent of [own, state]) {
      expect(sent.filter(Boolean)).toHaveLength(3);
      expect([sent.at(0), sent.at(1), sent.at(-1)]).toEqual([true, true, true]);
    }
  });

  describe('by a clock that is put forward', () => {
    /** A bridge whose time passes when it is told so, besides by itself. */
    async function startTimed(environment: Readonly<Record<string, string>>) {
      const started = performance.now();
      let passedMs = 0;
      const now = () => performance.now() - started + passedMs;
      const bridge = await startBridge({
        environment,
        clock: () => ({ unixMs: Date.now() + passedMs, monotonicMs: now() }),
      });
      const pass = (ms: number) => {
        passedMs += ms;
      };
      return { ...bridge, now, pass };
    }

    it('sends them before a Collector forgets them, however long the export interval is', async () => {
      const { receiver, write, now, pass } = await startTimed({ OTEL_METRIC_EXPORT_INTERVAL: '3600000' });
      const toldAt: number[] = [];
      for (let loss = 1; loss <= 20; loss++) {
        pass(10_000);
        await write({ metrics: { training_loss: loss } });
        await arrived(receiver, 'ml.training.loss', loss);
        const names = receiver.requests.at(-1)?.points.map(({ metric }) => metric) ?? [];
        const isTold = ['ml.training.run.state', 'ml.bridge.snapshots'].every((it) => names.includes(it));
        if (isTold) toldAt.push(now());
      }
      const gaps = toldAt.slice(1).map((at, index) => at - (toldAt[index] as number));
      expect(gaps.length).toBeGreaterThan(5);
      // Twenty seconds and the wait for the next snapshot, well within the minute that series are remembered.
      expect(Math.max(...gaps)).toBeLessThan(40_000);
    });

    it('has told them also where the heartbeats of an outage were replaced', async () => {
      const { receiver, write, polled, pass } = await startTimed({ OTEL_METRIC_EXPORT_INTERVAL: '15000' });
      receiver.reply(() => ({ status: 'error', code: status.UNAVAILABLE }));
      for (let loss = 1; loss <= 5; loss++) {
        // Long enough for a heartbeat, which the snapshot then takes the place of.
        pass(20_000);
        await polled(3);
        await write({ metrics: { training_loss: loss } });
      }
      receiver.reply(() => ({ status: 'ok' }));
      await arrived(receiver, 'ml.training.loss', 5);
      for (const metric of ['ml.training.loss', 'ml.training.run.state', 'ml.bridge.snapshots'])
        expect(
          new Set(receiver.points(metric).map(({ timeMs }) => timeMs)).size,
          metric,
        ).toBeGreaterThanOrEqual(5);
    });
  });

  it('sends a state that changes with the snapshot that changes it', async () => {
    const { receiver, write } = await startBridge();
    for (const [index, status] of [undefined, 'running', 'completed'].entries()) {
      await write({ top: { status }, metrics: { training_loss: index } });
      await arrived(receiver, 'ml.training.loss', index);
    }
    const { points = [] } = receiver.requests.at(-1) ?? {};
    const states = points.filter(({ metric }) => metric === 'ml.training.run.state');
    expect(states.map(({ attributes, value }) => [attributes.state, value])).toEqual(
      runStates.map((state) => [state, Number(state === 'completed')]),
    );
  });

  it('reports the bridge itself through changes of run', async () => {
    const { receiver, write, stop } = await startBridge({
      environment: { OTEL_METRIC_EXPORT_INTERVAL: '20' },
    });
    await write({});
    await write({ job: { job_id: 'another' } });
    await write({ job: { job_id: 'third' }, metrics: { training_loss: 3 } });
    await arrived(receiver, 'ml.training.loss', 3);
    // Before the end: at the last collection, the request before it may still wait for its answer.
    await arrived(receiver, 'ml.bridge.backlog', 0);
    await stop();
    const read = receiver
      .points('ml.bridge.snapshots')
      .filter(({ attributes }) => attributes.outcome === 'ok');
    expect(read.at(-1)?.value).toBe(3);
    expect(new Set(read.map(({ startTimeMs }) => startTimeMs)).size).toBe(1);
    const exports =
      receiver.requests.at(-1)?.points.filter(({ metric }) => metric === 'ml.bridge.exports') ?? [];
    // From zero on, so that the first failure can be seen by rate().
    const counts = Object.fromEntries(exports.map(({ attributes, value }) => [attributes.outcome, value]));
    expect(counts).toEqual({ success: expect.any(Number), retry: 0, split: 0, rejected: 0 });
    expect(counts.success).toBeGreaterThan(0);
    expect(last(receiver, 'ml.bridge.last_success_time')?.value).toBeGreaterThan(1_700_000_000);
  });

  it('exports nothing when told so, and still reads', async () => {
    const { receiver, write, stop } = await startBridge({ environment: { OTEL_SDK_DISABLED: 'true' } });
    await write({});
    expect(await stop()).toMatchObject({ snapshots: 1, undelivered: 0 });
    expect(receiver.requests).toEqual([]);
  });
});

describe('a value that is not finite', () => {
  it('is there as NaN within one export, counted, and poisons no sum', async () => {
    const { receiver, write, log } = await startBridge();
    await write({ metrics: { training_loss: 1, processing_time_ms: 10 } });
    await write({ metrics: { training_loss: Number.NaN, processing_time_ms: Number.POSITIVE_INFINITY } });
    await arrived(receiver, 'ml.training.loss', Number.NaN);
    await write({ metrics: { training_loss: Number.NaN, processing_time_ms: 30 } });
    await arrived(receiver, 'ml.training.processing_time', 40);
    expect(last(receiver, 'ml.training.processing_time')?.count).toBe(2);
    const counts =
      receiver.requests.at(-1)?.points.filter(({ metric }) => metric === 'ml.training.non_finite') ?? [];
    expect(Object.fromEntries(counts.map(({ attributes, value }) => [attributes.field, value]))).toEqual({
      training_loss: 2,
      validation_loss: 0,
      processing_time_ms: 1,
    });
    expect(
      log.filter(({ message, field }) => message === 'Value is NaN or infinite' && field === 'training_loss'),
    ).toHaveLength(1);
  });
});

describe('staleness', () => {
  it('takes the gauges away, not the counters nor the age, and gives them back', async () => {
    let passedMs = 0;
    const { receiver, write } = await startBridge({
      environment: { STALE_AFTER: '300', OTEL_METRIC_EXPORT_INTERVAL: '20' },
      // Five minutes pass at once, and a busy machine cannot make a new value stale.
      clock: () => ({ unixMs: Date.now(), monotonicMs: performance.now() + passedMs }),
    });
    await write({ metrics: { own: 1 } });
    await arrived(receiver, 'ml.training.own', 1);
    passedMs = 300_000;
    const names = (index: number) => new Set(receiver.requests.at(index)?.points.map(({ metric }) => metric));
    await receiver.waitFor(
      () => names(-1).has('ml.bridge.file.age') && !names(-1).has('ml.training.loss'),
      'stale',
    );
    const gauges = trainingMetrics
      .filter(({ instrument }) => instrument === 'gauge')
      .map(({ name }) => name as string);
    const shown = names(-1);
    for (const gauge of [...gauges, 'ml.training.own']) expect(shown.has(gauge)).toBe(false);
    for (const kept of [
      'ml.training.epoch',
      'ml.training.processing_time',
      'ml.training.run.state',
      'ml.bridge.file.age',
    ]) {
      expect(shown.has(kept)).toBe(true);
    }
    expect(last(receiver, 'ml.bridge.file.age')?.value).toBeGreaterThanOrEqual(300);
    await write({ metrics: { training_loss: 7, own: 2 } });
    await arrived(receiver, 'ml.training.loss', 7);
    expect(last(receiver, 'ml.training.own')?.value).toBe(2);
  });

  it('does not wait for the next poll: values go stale and the age grows however long COLLECTION_INTERVAL is', async () => {
    const file = join(temporaryFolder(), 'current.json');
    replaceFile(file, exampleText());
    const { receiver, polls, log } = await startBridge({
      file,
      environment: { STALE_AFTER: '0.3', OTEL_METRIC_EXPORT_INTERVAL: '20' },
      config: { collectionIntervalMs: 3_600_000 },
    });
    await arrived(receiver, 'ml.training.loss', 1.2345);
    const names = () => (receiver.requests.at(-1)?.points ?? []).map(({ metric }) => metric);
    await receiver.waitFor(
      () => names().includes('ml.bridge.file.age') && !names().includes('ml.training.loss'),
      'stale',
    );
    expect(polls).toHaveLength(1);
    expect(last(receiver, 'ml.bridge.file.age')?.value).toBeGreaterThanOrEqual(0.3);
    expect(log.filter(({ message }) => message.startsWith('Metrics file is stale'))).toHaveLength(1);
    // A heartbeat sees that the file is written, and does not read it.
    replaceFile(file, exampleText({ metrics: { training_loss: 2 } }));
    await receiver.waitFor(() => Number(last(receiver, 'ml.bridge.file.age')?.value) < 0.3, 'a young file');
    expect(polls).toHaveLength(1);
    expect(receiver.points('ml.training.loss').some(({ value }) => value === 2)).toBe(false);
  });

  it('nor does a stalled run', async () => {
    const file = join(temporaryFolder(), 'current.json');
    replaceFile(file, exampleText());
    const { receiver, polls } = await startBridge({
      file,
      environment: { STALL_AFTER: '0.3', OTEL_METRIC_EXPORT_INTERVAL: '20' },
      config: { collectionIntervalMs: 3_600_000 },
    });
    await receiver.waitFor(
      () =>
        receiver
          .points('ml.training.run.state')
          .some(({ attributes, value }) => attributes.state === 'stalled' && value === 1),
      'stalled',
    );
    expect(polls).toHaveLength(1);
  });

  it('is told apart from a run whose step does not advance', async () => {
    const { receiver, write } = await startBridge({ environment: { STALL_AFTER: '0.2' } });
    // A state that does not change is not in every request.
    const state = () =>
      receiver.points('ml.training.run.state').findLast(({ value }) => value === 1)?.attributes.state;
    await write({});
    let turn = 0;
    await until(async () => {
      await write({ top: { timestamp: new Date(turn++).toISOString() } });
      return state() === 'stalled';
    }, 'stalled while the file is fresh');
    expect(last(receiver, 'ml.training.loss')?.value).toBe(1.2345);
    await write({ metrics: { batch_number: 46 } });
    await receiver.waitFor(() => state() === 'running', 'running again');
  });
});

describe('the end', () => {
  it('brings the value written just before', async () => {
    const file = join(temporaryFolder(), 'current.json');
    replaceFile(file, exampleText());
    const { receiver, outcome, stop } = await startBridge({ file, config: { collectionIntervalMs: 60_000 } });
    await outcome('ok');
    replaceFile(file, exampleText({ metrics: { training_loss: 42, batch_number: 46 } }));
    expect(await stop()).toMatchObject({ snapshots: 2, undelivered: 0 });
    expect(last(receiver, 'ml.training.loss')?.value).toBe(42);
    const states =
      receiver.requests.at(-1)?.points.filter(({ metric }) => metric === 'ml.training.run.state') ?? [];
    expect(states.filter(({ value }) => value === 1).map(({ attributes }) => attributes.state)).toEqual([
      'ended',
    ]);
  });

  it('by an error in the loop flushes what waits, and is told', async () => {
    const { receiver, file, ended } = await startBridge({
      onPoll: ({ outcome }) => {
        if (outcome.status === 'ok') throw new Error('a mistake in the program');
      },
    });
    replaceFile(file, exampleText());
    const summary = await ended;
    expect(summary).toMatchObject({
      snapshots: 1,
      undelivered: 0,
      error: new Error('a mistake in the program'),
    });
    expect(last(receiver, 'ml.training.loss')?.value).toBe(1.2345);
  });

  it('comes by itself in container mode, when the file says the run is over', async () => {
    const { write, ended } = await startBridge({ environment: { SIDECAR_MODE: 'container' } });
    await write({ top: { status: 'running' } });
    await write({ top: { status: 'completed' } });
    expect(await ended).toMatchObject({ snapshots: 2, undelivered: 0 });
  });

  it('comes by itself in container mode, when the file is not written any more', async () => {
    const { receiver, write, ended } = await startBridge({
      environment: { SIDECAR_MODE: 'container' },
      config: { exitAfterStaleMs: 300 },
    });
    await write({});
    expect(await ended).toMatchObject({ undelivered: 0 });
    expect(last(receiver, 'ml.training.loss')?.value).toBe(1.2345);
  });
});

describe('two writers on one file', () => {
  it('are reported, and only the newer run is exported', async () => {
    const { receiver, write, log } = await startBridge();
    const old = { job_id: 'old' };
    const young = { job_id: 'young' };
    await write({ job: old, metrics: { training_loss: 1 } });
    for (let turn = 2; turn < 6; turn++) {
      await write({ job: young, metrics: { training_loss: turn } });
      await write({ job: old, metrics: { training_loss: -turn } });
    }
    await write({ job: young, metrics: { training_loss: 100 } });
    await arrived(receiver, 'ml.training.loss', 100);
    const values = receiver
      .points('ml.training.loss')
      .map(({ attributes, value }) => `${attributes['job.id']} ${value}`);
    expect(values.filter((it) => it.startsWith('old')).every((it) => it === 'old 1')).toBe(true);
    expect(
      log.filter(({ level, message }) => level === 'error' && message.startsWith('Two jobs write')),
    ).toHaveLength(1);
    expect(last(receiver, 'ml.training.processing_time')?.count).toBe(5);
  });
});
