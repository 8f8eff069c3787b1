// What many sidecars, each at one snapshot a second, cost the Collector and Prometheus behind it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measured, Target } from '../tools/generate/tables/performance.ts';
import { type Fleet, type FleetOptions, startFleet } from './scale/fleet.ts';
import { memoryOfAll, pushed, type Reading, type Stack, scraped } from './scale/stack.ts';
import { readOptions } from './support/options.ts';
import { cpuMsOf } from './support/process.ts';
import { publish } from './support/result.ts';
import { measured, median, ratios, significant, sum } from './support/statistics.ts';

/** `seconds` are those CPU is measured in, after each sidecar has been there once. */
const options = readOptions({
  rounds: 3,
  seconds: 20,
  settle: 10,
  connections: 200,
  smallest: 1_000,
  largest: 10_000,
});

const oneScraped = {
  label: 'one Collector, scraped',
  start: scraped,
  histograms: 'explicit_bucket_histogram',
} as const;
const twoPushing = {
  label: 'two Collectors, pushing, native histograms',
  start: pushed,
  histograms: 'base2_exponential_bucket_histogram',
} as const;

interface Case extends Pick<FleetOptions, 'sidecars' | 'together' | 'histograms'> {
  readonly label: string;
  readonly start: () => Promise<Stack>;
}

/** 10,000 sidecars are too many for one scrape. */
const cases: readonly Case[] = [
  { sidecars: 1_000, together: 1, ...oneScraped },
  { sidecars: 1_000, together: 5, ...oneScraped },
  { sidecars: 1_000, together: 1, ...twoPushing },
  { sidecars: 1_000, together: 5, ...twoPushing },
  { sidecars: 10_000, together: 5, ...twoPushing },
].filter(({ sidecars }) => sidecars >= options.smallest && sidecars <= options.largest);

interface Cost extends Reading {
  readonly requestsPerSecond: number;
  /** Shares of a core during the ingest; of all Collectors together. */
  readonly collector: number;
  /** Of the Collectors, for each acknowledged snapshot. */
  readonly msPerSnapshot: number;
  readonly prometheus: number | undefined;
  readonly generator: number;
  /** Bytes of all Collectors together, before they were read. */
  readonly memoryIngesting: number;
  /** Snapshots acknowledged while CPU was measured, of those that were due. */
  readonly acknowledged: number;
  /** Snapshots that were refused, or that Prometheus does not have where it keeps each. */
  readonly lost: number;
}

async function measure({ start, ...load }: Case): Promise<Cost> {
  const stack = await start();
  const { connections } = options;
  let fleet: Fleet | undefined;
  try {
    const endpoints = stack.collectors.map(({ endpoint }) => endpoint);
    fleet = startFleet({ ...load, connections, endpoints, compression: 'gzip' });
    await sleep(options.settle * 1_000);
    const before = { ...usage(stack), ...fleet.count };
    await sleep(options.seconds * 1_000);
    const after = { ...usage(stack), ...fleet.count };
    const elapsedMs = after.atMs - before.atMs;
    const core = (name: 'collector' | 'prometheus' | 'generator') => (after[name] - before[name]) / elapsedMs;
    const requestsPerSecond = (1_000 * (after.acknowledged - before.acknowledged)) / elapsedMs;
    const memoryIngesting = memoryOfAll(stack.collectors);
    await fleet.stop();
    const reading = await stack.read();
    const { failed, acknowledged } = fleet.count;
    const notStored = reading.stored === undefined ? 0 : acknowledged * load.together - reading.stored;
    return {
      ...reading,
      requestsPerSecond,
      collector: core('collector'),
      msPerSnapshot: (1_000 * core('collector')) / (requestsPerSecond * load.together),
      prometheus: stack.ingesting && core('prometheus'),
      generator: core('generator'),
      memoryIngesting,
      acknowledged: (requestsPerSecond * load.together) / load.sidecars,
      lost: failed * load.together + notStored,
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

const nameOf = ({ sidecars, together, label }: Case) =>
  `${sidecars.toLocaleString('en-US')}, ${label}, ${together === 1 ? 'each snapshot alone' : `${together} together`}`;
const costs = new Map<Case, Cost[]>(cases.map((it) => [it, []]));
for (let round = 0; round < options.rounds; round++)
  for (const [it, list] of costs) {
    const cost = await measure(it);
    console.log(nameOf(it), JSON.stringify(cost));
    list.push(cost);
  }

const cell = (values: readonly (number | undefined)[], unit = '', factor = 1): Measured | null => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0
    ? null
    : measured(
        known.map((value) => value * factor),
        unit,
      );
};
const column = (list: readonly Cost[], pick: (cost: Cost) => number | undefined, unit = '', factor = 1) =>
  cell(list.map(pick), unit, factor);

/** Round by round, the Collector's CPU for a snapshot of five in a request, divided by that of one sent alone. */
const cpuRatio = (): number[] => {
  const of = (together: number) =>
    [...costs]
      .find(([it]) => it.start === scraped && it.together === together)?.[1]
      .map(({ msPerSnapshot }) => msPerSnapshot);
  const [five, one] = [of(5), of(1)];
  return five && one ? [significant(median(ratios(five, one)))] : [];
};
const lost = sum([...costs.values()].flat().map((cost) => cost.lost));
const targets: Target[] = [
  { what: 'Snapshots lost, all rows', unit: '', atMost: 0, measured: lost },
  ...cpuRatio().map((ratio) => ({
    what: 'CPU of one Collector per snapshot, five in a request beside each alone',
    unit: '×',
    atMost: 1,
    measured: ratio,
  })),
];

publish('scale', options, {
  tables: [
    {
      title: 'Ingest, one snapshot of each sidecar every second',
      columns: [
        'Sidecars',
        'Requests per second',
        'CPU of the Collectors',
        'CPU per snapshot',
        'Their memory',
        'Prometheus',
        'Generator',
        'Acknowledged in time',
        'Lost',
        'Sidecars a core carries',
      ],
      rows: [...costs].map(([it, list]) => ({
        label: nameOf(it),
        cells: [
          column(list, (cost) => cost.requestsPerSecond),
          column(list, (cost) => cost.collector, '% of a core', 100),
          column(list, (cost) => cost.msPerSnapshot, 'ms'),
          column(list, (cost) => cost.memoryIngesting, 'MB', 1e-6),
          column(list, (cost) => cost.prometheus, '% of a core', 100),
          column(list, (cost) => cost.generator, '% of a core', 100),
          column(list, (cost) => cost.acknowledged, '%', 100),
          column(list, (cost) => cost.lost),
          column(list, (cost) => 1_000 / cost.msPerSnapshot),
        ],
      })),
    },
    {
      title: 'What Prometheus then has',
      columns: ['Sidecars', 'Found', 'Scrape', 'Its size', 'Its samples', 'Memory of the Collectors then'],
      rows: [...costs].map(([it, list]) => ({
        label: nameOf(it),
        cells: [
          column(list, (cost) => cost.sidecars),
          column(list, (cost) => cost.scrape?.seconds, 's'),
          column(list, (cost) => cost.scrape?.bytes, 'MB', 1e-6),
          column(list, (cost) => cost.scrape?.samples),
          column(list, (cost) => cost.memory, 'MB', 1e-6),
        ],
      })),
    },
  ],
  targets,
});
