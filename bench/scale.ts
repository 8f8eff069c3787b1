// What many sidecars cost the Collector and Prometheus behind it, by the ways that are shipped.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measured } from '../tools/generate/tables/performance.ts';
import { type Fleet, type FleetOptions, periodMs, startFleet } from './scale/fleet.ts';
import { memoryOfAll, pushed, type Reading, type Stack, scraped } from './scale/stack.ts';
import { readOptions } from './support/options.ts';
import { cpuMsOf } from './support/process.ts';
import { publish } from './support/result.ts';
import { measured, significant, sum } from './support/statistics.ts';

/** `seconds` are those CPU is measured in, after each sidecar has been there once. */
const options = readOptions({ seconds: 10, connections: 50, smallest: 100, largest: 10_000 });
const sizes = [100, 1_000, 10_000].filter((size) => size >= options.smallest && size <= options.largest);

const classic = 'explicit_bucket_histogram';
const native = 'base2_exponential_bucket_histogram';
interface Way extends Pick<FleetOptions, 'histograms' | 'compression'> {
  readonly label: string;
  readonly start: () => Promise<Stack>;
}

const ways = [
  { label: 'one Collector, scraped, buckets', start: scraped, histograms: classic, compression: 'gzip' },
  {
    label: 'one Collector, scraped, native histograms',
    start: scraped,
    histograms: native,
    compression: 'gzip',
  },
  {
    label: 'one Collector, scraped, native histograms, no compression',
    start: scraped,
    histograms: native,
    compression: 'none',
  },
  {
    label: 'two Collectors, pushing, native histograms',
    start: pushed,
    histograms: native,
    compression: 'gzip',
  },
] as const satisfies readonly Way[];

interface Cost extends Reading {
  /** Shares of a core during the ingest; of all Collectors together. */
  readonly collector: number;
  readonly prometheus: number | undefined;
  readonly generator: number;
  /** Bytes of all Collectors together, before they were read. */
  readonly memoryIngesting: number;
  /** Of the requests that were due while CPU was measured, how many were acknowledged. */
  readonly acknowledged: number;
  /** Requests that failed, from the first on. */
  readonly failed: number;
}

async function measure({ start, histograms, compression }: Way, sidecars: number): Promise<Cost> {
  const stack = await start();
  const { connections } = options;
  let fleet: Fleet | undefined;
  try {
    const endpoints = stack.collectors.map(({ endpoint }) => endpoint);
    fleet = startFleet({ sidecars, connections, endpoints, histograms, compression });
    await sleep(periodMs);
    const before = { ...usage(stack), ...fleet.count };
    await sleep(options.seconds * 1_000);
    const after = { ...usage(stack), ...fleet.count };
    const core = (name: 'collector' | 'prometheus' | 'generator') =>
      (after[name] - before[name]) / (after.atMs - before.atMs);
    const due = (sidecars * (after.atMs - before.atMs)) / periodMs;
    const memoryIngesting = memoryOfAll(stack.collectors);
    const reading = await stack.read();
    return {
      ...reading,
      collector: core('collector'),
      prometheus: stack.ingesting && core('prometheus'),
      generator: core('generator'),
      memoryIngesting,
      acknowledged: (after.acknowledged - before.acknowledged) / due,
      failed: fleet.count.failed,
    };
  } finally {
    await fleet?.stop();
    await stack.stop();
  }
}

/** Milliseconds of CPU so far. */
function usage({ collectors, ingesting }: Stack) {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    collector: sum(collectors.map(({ pid }) => cpuMsOf(pid))),
    prometheus: ingesting ? cpuMsOf(ingesting.pid) : 0,
    generator: (user + system) / 1_000,
  };
}

const costs: { readonly label: string; readonly sidecars: number; readonly cost: Cost }[] = [];
for (const way of ways)
  for (const sidecars of sizes) {
    console.log(`${sidecars.toLocaleString('en-US')} sidecars, ${way.label}`);
    costs.push({ label: way.label, sidecars, cost: await measure(way, sidecars) });
  }

const cell = (value: number | undefined, unit = ''): Measured | null =>
  value === undefined ? null : measured([value], unit);
const megabytes = (bytes: number | undefined) => bytes && bytes / 1e6;

/** The targets' case, where it was measured. */
const aimed = costs.find((it) => it.label === ways[1].label && it.sidecars === 10_000)?.cost;
const target = (what: string, unit: string, atMost: number, value: number | undefined) => ({
  what: `10,000 sidecars, native histograms: ${what}`,
  unit,
  atMost,
  measured: significant(value ?? Number.NaN),
});

publish('scale', options, {
  tables: [
    {
      title: 'Ingest, one snapshot of each sidecar every 10 s',
      columns: [
        'Sidecars',
        'Collectors',
        'Memory',
        'Prometheus',
        'Generator',
        'Acknowledged in time',
        'Failed',
        'Sidecars a core carries',
      ],
      rows: costs.map(({ label, sidecars, cost }) => ({
        label: `${sidecars.toLocaleString('en-US')}, ${label}`,
        cells: [
          cell(cost.collector * 100, '% of a core'),
          cell(megabytes(cost.memoryIngesting), 'MB'),
          cell(cost.prometheus && cost.prometheus * 100, '% of a core'),
          cell(cost.generator * 100, '% of a core'),
          cell(cost.acknowledged * 100, '%'),
          cell(cost.failed),
          cell(sidecars / cost.collector),
        ],
      })),
    },
    {
      title: 'What Prometheus then has',
      columns: ['Sidecars', 'Found', 'Scrape', 'Its size', 'Its samples', 'Collector’s memory then'],
      rows: costs.map(({ label, sidecars, cost }) => ({
        label: `${sidecars.toLocaleString('en-US')}, ${label}`,
        cells: [
          cell(cost.sidecars),
          cell(cost.scrape?.seconds, 's'),
          cell(megabytes(cost.scrape?.bytes), 'MB'),
          cell(cost.scrape?.samples),
          cell(megabytes(cost.memory), 'MB'),
        ],
      })),
    },
  ],
  targets:
    aimed === undefined
      ? []
      : [
          target('CPU of the ingest', '% of a core', 30, aimed.collector * 100),
          target('memory of the Collector', 'MB', 339, megabytes(aimed.memoryIngesting)),
          target('time of a scrape', 's', 1, aimed.scrape?.seconds),
          target('size of a scrape', 'MB', 20, megabytes(aimed.scrape?.bytes)),
        ],
});
