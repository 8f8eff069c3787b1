import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFileState } from '../../src/commands/check/file-state.ts';
import { type Report, reportOn } from '../../src/commands/check/report.ts';
import type { Series } from '../../src/commands/check/series.ts';
import { systemClock } from '../../src/common/clock.ts';
import { bridgeResource } from '../../src/telemetry/resource.ts';
import { startBridge } from '../support/bridge.ts';
import { configOf } from '../support/config.ts';
import type { FileOverrides } from '../support/file.ts';
import { until } from '../support/until.ts';
import { type Collector, startCollector } from './collector.ts';

/** `check` names series before there are any; here the real Collector says which there are. */

let collector: Collector;
beforeAll(async () => {
  collector = await startCollector();
}, 60_000);
afterAll(() => collector?.stop());

/** A series as one line, its labels in order; the bucket's bound is not one `check` names. */
function lineOf({ name, labels }: Series): string {
  const sorted = Object.entries(labels)
    .filter(([label]) => !(label === 'le' && name.endsWith('_bucket')))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${name}${JSON.stringify(Object.fromEntries(sorted))}`;
}

/** What the Collector shows Prometheus of one bridge, without target_info, which tells of the bridge and not of the job. */
async function exposed(instance: string): Promise<readonly Series[]> {
  const body = await (await fetch(collector.scrapeUrl)).text();
  return body
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = ''] = /^(\w+)\{(.*)\} \S+/.exec(line) ?? [];
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, key, value]) => [key, JSON.parse(`"${value}"`)])),
      };
    })
    .filter(({ name, labels }) => name !== 'target_info' && labels.instance === instance);
}

const isOfBridge = ({ name }: Series) => name.startsWith('ml_bridge_');

interface Case {
  readonly file: FileOverrides;
  /** Native histograms show in full only in protobuf; in text the Collector writes each as three series. */
  readonly nativeHistograms?: true;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Lets `check` name the series of a file, and then the bridge export it. */
async function compare({ file: content, nativeHistograms, environment = {} }: Case): Promise<Report> {
  const bridge = await startBridge({
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, ...environment },
    config: { exportIntervalMs: 50 },
  });
  await bridge.write(content);
  const config = configOf({ METRICS_FILE_PATH: bridge.file, ...environment });
  const { report } = await reportOn(await readFileState(bridge.file), undefined, {
    config,
    resource: bridgeResource(config, 'test-host', '0.0.0'),
    version: '0.0.0',
    reader: { uid: 65_532, gids: [] },
    now: systemClock(),
  });
  const named = [
    ...report.fields.flatMap(({ metric }) => metric?.series ?? []),
    ...report.runMetrics.flatMap(({ series }) => series),
  ];
  expect(named.length).toBeGreaterThan(0);
  const instance = report.labels.instance as string;
  // The state is there from the first export on, and one of a run that is waited for is gone only after a while.
  const arrived = async () =>
    (await exposed(instance))
      .filter((it) => !isOfBridge(it) && !isWaiting(it, report))
      .map((it) => (nativeHistograms ? asNative(it) : it));
  await until(
    async () =>
      (await arrived()).some(
        ({ name, labels }) => name === 'ml_training_run_state' && labels.job_id === report.labels.job_id,
      ),
    'the run at the Collector',
  );
  const wanted = [...new Set(named.map(lineOf))].sort();
  await until(async () => new Set((await arrived()).map(lineOf)).size >= wanted.length, 'all series').catch(
    () => undefined,
  );
  expect([...new Set((await arrived()).map(lineOf))].sort()).toEqual(wanted);
  const ofBridge = async () => new Set((await exposed(instance)).filter(isOfBridge).map(({ name }) => name));
  // What no field was left out for is not there; all else is, once an export has succeeded.
  const sometimes = report.fields.every(({ verdict }) => verdict === 'accepted')
    ? 'ml_bridge_fields_skipped_total'
    : '';
  const always = report.bridgeSeries.filter((name) => name !== sometimes).sort();
  await until(async () => (await ofBridge()).size >= always.length, "the bridge's own series").catch(
    () => undefined,
  );
  expect([...(await ofBridge())].filter((name) => name !== sometimes).sort()).toEqual(always);
  return report;
}

const asNative = ({ name, labels }: Series): Series => ({
  name: name.replace(/_(bucket|sum|count)$/, ''),
  labels: Object.fromEntries(Object.entries(labels).filter(([label]) => label !== 'le')),
});

/** Before the first snapshot a bridge has states without a job. */
const isWaiting = ({ name, labels }: Series, { labels: named }: Report) =>
  name === 'ml_training_run_state' && Object.keys(named).some((label) => labels[label] === undefined);

const seriesOf = (report: Report, field: string) =>
  report.fields.find((it) => it.field === field)?.metric?.series.map(({ name }) => name);

describe('check names the series that the Collector then exposes', () => {
  it('of every field of the catalogue', async () => {
    const report = await compare({
      file: { metrics: { total_epochs: 10, batches_per_epoch: 100, total_steps: 1000, global_step: 245 } },
    });
    expect(report.fields.filter(({ metric }) => metric !== undefined)).toHaveLength(12);
    expect(seriesOf(report, 'samples_per_second')).toEqual([
      'ml_training_samples_per_second_bucket',
      'ml_training_samples_per_second_sum',
      'ml_training_samples_per_second_count',
    ]);
  });

  it('with extra metrics of every kind of name, and those that are refused', async () => {
    const report = await compare({
      file: {
        metrics: {
          x_custom: 1.5,
          X_Other: '2.5',
          step__2: 3,
          seconds: 1,
          ratio: 0.5,
          bytes_total: 7,
          x_custom_total: 4,
          loss_count: 3,
          epoch_total: 4,
          'x-custom': 2,
          X_CUSTOM: 5,
          phase: 'warmup',
          ['x'.repeat(64)]: 1,
        },
      },
    });
    expect(seriesOf(report, 'X_Other')).toEqual(['ml_training_x_other']);
    expect(seriesOf(report, 'epoch_total')).toBeUndefined();
  });

  it('of values that are text, not finite, or wrong', async () => {
    await compare({
      file: {
        metrics: {
          training_loss: Number.NaN,
          own: Number.NEGATIVE_INFINITY,
          accuracy: '0.5',
          gpu_utilization: 92,
          epoch: Number.NaN,
          processing_time_ms: Number.NaN,
        },
      },
    });
  });

  it('with labels that need quoting, a rank, and without what is missing', async () => {
    await compare({ file: { job: { job_id: 'a "quoted" \\ jöb', model_name: undefined, rank: 3 } } });
    await compare({ file: { job: { dataset: undefined } }, environment: { RANK: '7' } });
  });

  it('of native histograms, each a single series', async () => {
    const report = await compare({
      file: {},
      nativeHistograms: true,
      environment: {
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
      },
    });
    expect(seriesOf(report, 'processing_time_ms')).toEqual(['ml_training_processing_time_milliseconds']);
  });

  it('of one metric alone', async () => {
    await compare({
      file: {
        metrics: Object.fromEntries(
          [
            'epoch',
            'batch_number',
            'validation_loss',
            'accuracy',
            'learning_rate',
            'gpu_utilization',
            'processing_time_ms',
            'samples_per_second',
          ].map((field) => [field, undefined]),
        ),
      },
    });
  });

  it('of a bridge with a name of its own, in a namespace, in a pod', async () => {
    const report = await compare({
      file: {},
      environment: {
        OTEL_SERVICE_NAME: 'trainer',
        OTEL_RESOURCE_ATTRIBUTES:
          'service.namespace=ml,k8s.namespace.name=ml,k8s.pod.name=train-0,k8s.container.name=bridge',
      },
    });
    expect(report.labels).toMatchObject({ job: 'ml/trainer', instance: 'ml.train-0.bridge' });
  });
});
