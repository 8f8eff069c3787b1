// What an export costs on the wire, with a new snapshot and without, compressed and not.
import { bridgeSettings } from '../src/config/bridge.ts';
import type { BenchmarkTable } from '../tools/generate/tables/performance.ts';
import { buildAsInImage } from './support/bundle.ts';
import { readOptions } from './support/options.ts';
import { publish } from './support/result.ts';
import { measured, significant } from './support/statistics.ts';
import { measureWire, type WireCost } from './support/wire.ts';

/** `exports` are those of one round; a round has all four cases, one after the other. */
const options = readOptions({ rounds: 3, exports: 100 });

const cases = [
  { label: 'a new snapshot, gzip', compression: 'gzip', news: true },
  { label: 'a new snapshot, no compression', compression: 'none', news: true },
  { label: 'nothing new, gzip', compression: 'gzip', news: false },
  { label: 'nothing new, no compression', compression: 'none', news: false },
] as const;

const built = await buildAsInImage();
const costs = new Map<string, WireCost[]>(cases.map(({ label }) => [label, []]));
try {
  for (let round = 0; round < options.rounds; round++)
    for (const { label, ...how } of cases)
      costs.get(label)?.push(await measureWire(built, { ...how, exports: options.exports }));
} finally {
  built.remove();
}

const table: BenchmarkTable = {
  title: 'Bytes of one export in steady state',
  columns: ['Export', 'To the Collector', 'Back', 'Message before compression', 'Points', 'Series'],
  rows: [...costs].map(([label, list]) => ({
    label,
    cells: [
      measured(
        list.map(({ sent }) => sent),
        'B',
      ),
      measured(
        list.map(({ received }) => received),
        'B',
      ),
      measured(
        list.map(({ message }) => message),
        'B',
      ),
      measured(list.map(({ points }) => points)),
      measured(list.map(({ series }) => series)),
    ],
  })),
};
const [active, , whole] = table.rows.map(({ cells }) => cells[0]?.median ?? Number.NaN);
// What seldom changes leaves once an export interval, as it does while nothing is new.
const aSecond = bridgeSettings.exportIntervalMs.default / 1_000;
const mean = ((active ?? Number.NaN) * (aSecond - 1) + (whole ?? Number.NaN)) / aSecond;
publish('bytes', options, {
  tables: [table],
  targets: [
    {
      what: 'Bytes on the wire per snapshot at one a second, gzip',
      unit: 'B',
      atMost: 1_200,
      measured: significant(mean),
    },
  ],
});
