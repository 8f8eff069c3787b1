// What many sidecars cost the Collectors and the engine behind them, and what more of them would need.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measured, Target } from '../tools/generate/tables/performance.ts';
import { createFleet, type Fleet, type FleetOptions } from './scale/fleet.ts';
import { planTable } from './scale/plan.ts';
import { distributed, memoryOfAll, pushed, type Reading, type Stack, scraped } from './scale/stack.ts';
import { readOptions } from './support/options.ts';
import { cpuMsOf } from './support/process.ts';
import { publish } from './support/result.ts';
import { measured, median, ratios, significant, sum } from './support/statistics.ts';

/**
 * `seconds` are those CPU is measured in, after each sidecar has been there once. `alone` and `together` are the snapshots
 * a second of all sidecars, where each has a request of its own, and where five share one.
 */
const options = readOptions({
  rounds: 1,
  seconds: 20,
  alone: 200,
  together: 1_000,
  connections: 200,
  smallest: 1_000,
  largest: 50_000,
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
const threeReceivers = {
  label: 'two Collectors, three Thanos receivers with three copies, native histograms',
  start: distributed,
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
  { sidecars: 3_000, together: 5, ...oneScraped },
  { sidecars: 1_000, together: 1, ...twoPushing },
  { sidecars: 1_000, together: 5, ...twoPushing },
  { sidecars: 3_000, together: 5, ...twoPushing },
  { sidecars: 10_000, together: 5, ...twoPushing },
  { sidecars: 50_000, together: 5, ...twoPushing },
  { sidecars: 10_000, together: 5, ...threeReceivers },
].filter(({ sidecars }) => sidecars >= options.smallest && sidecars <= options.largest);

interface Cost extends Reading {
  readonly snapshotsPerSecond: number;
  /** Of those that were due. */
  readonly acknowledged: number;
  /** Milliseconds of CPU for each acknowledged snapshot; of all Collectors together. */
  readonly collectorMs: number;
  readonly engineMs: number | undefined;
  readonly generatorMs: number;
  /** Milliseconds of CPU, of Collectors and engine, for the first snapshot of a sidecar, which begins its series. */
  readonly newSidecarMs: number;
  /** Bytes of all Collectors together, and of the engine, before they are read. */
  readonly memoryIngesting: number;
  readonly engineMemory: number | undefined;
  /** Snapshots that were refused, or that the engine does not have where it keeps each. */
  readonly lost: number;
}

async function measure({ start, ...load }: Case): Promise<Cost> {
  const stack = await start();
  const snapshotsPerSecond = load.together === 1 ? options.alone : options.together;
  const { connections } = options;
  let fleet: Fleet | undefined;
  try {
    const endpoints = stack.collectors.map(({ endpoint }) => endpoint);
    fleet = createFleet({ ...load, snapshotsPerSecond, connections, endpoints, compression: 'gzip' });
    const first = usage(stack, fleet);
    await fleet.introduce();
    const introduced = usage(stack, fleet);
    // A request holds the snapshots of as many seconds, which must not be older than the first one.
    await sleep(load.together * 1_000);
    fleet.start();
    await sleep(2_000);
    const before = usage(stack, fleet);
    await sleep(options.seconds * 1_000);
    const after = usage(stack, fleet);
    const snapshots = after.acknowledged - before.acknowledged;
    const perSnapshot = (name: 'collector' | 'engine' | 'generator') =>
      (after[name] - before[name]) / snapshots;
    const rate = (1_000 * snapshots) / (after.atMs - before.atMs);
    const memoryIngesting = memoryOfAll(stack.collectors.map(({ pid }) => pid));
    const engineMemory = stack.engine && memoryOfAll(stack.engine);
    await fleet.stop();
    const reading = await stack.read();
    const { failed, acknowledged } = fleet.count;
    return {
      ...reading,
      snapshotsPerSecond: rate,
      acknowledged: rate / snapshotsPerSecond,
      collectorMs: perSnapshot('collector'),
      engineMs: stack.engine && perSnapshot('engine'),
      generatorMs: perSnapshot('generator'),
      newSidecarMs:
        (introduced.collector + introduced.engine - first.collector - first.engine) / load.sidecars,
      memoryIngesting,
      engineMemory,
      lost: failed + (reading.stored === undefined ? 0 : acknowledged - reading.stored),
    };
  } finally {
    await fleet?.stop();
    await stack.stop();
  }
}

/** Milliseconds of CPU, and snapshots, so far. */
function usage({ collectors, engine = [] }: Stack, { count }: Fleet) {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    acknowledged: count.acknowledged,
    collector: sum(collectors.map(({ pid }) => cpuMsOf(pid))),
    engine: sum(engine.map(cpuMsOf)),
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
      .map(({ collectorMs }) => collectorMs);
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

const sizeCosts = (start: Case['start']) =>
  [...costs]
    .filter(([it]) => it.start === start)
    .map(([{ sidecars, together }, list]) => ({
      sidecars,
      together,
      snapshotsPerSecond: median(list.map((cost) => cost.snapshotsPerSecond)),
      collectorMs: median(list.map(({ collectorMs }) => collectorMs)),
      engineMs: median(list.map(({ engineMs = 0 }) => engineMs)),
      engineMemory: median(list.map(({ engineMemory = 0 }) => engineMemory)),
    }));
const plan = planTable(sizeCosts(pushed), sizeCosts(distributed)[0]);

publish('scale', options, {
  tables: [
    {
      title: 'Ingest',
      columns: [
        'Sidecars',
        'Snapshots per second',
        'Acknowledged in time',
        'Lost',
        'CPU per snapshot: Collectors',
        'Engine',
        'Generator',
        'CPU of a new sidecar',
        'Memory of the Collectors',
        'Of the engine',
      ],
      rows: [...costs].map(([it, list]) => ({
        label: nameOf(it),
        cells: [
          column(list, (cost) => cost.snapshotsPerSecond),
          column(list, (cost) => cost.acknowledged, '%', 100),
          column(list, (cost) => cost.lost),
          column(list, (cost) => cost.collectorMs, 'ms'),
          column(list, (cost) => cost.engineMs, 'ms'),
          column(list, (cost) => cost.generatorMs, 'ms'),
          column(list, (cost) => cost.newSidecarMs, 'ms'),
          column(list, (cost) => cost.memoryIngesting, 'MB', 1e-6),
          column(list, (cost) => cost.engineMemory, 'MB', 1e-6),
        ],
      })),
    },
    {
      title: 'What the engine then has',
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
    plan,
  ],
  targets,
});
