// What the Collector has to serve when all sidecars lose it at the same moment and it comes back.
import type { BenchmarkPicture } from '../tools/generate/tables/performance.ts';
import { measureOutage, type OutageResult, type Second } from './herd/outage.ts';
import { readOptions } from './support/options.ts';
import { publish } from './support/result.ts';
import { measured, significant, sum } from './support/statistics.ts';

const options = readOptions({ sidecars: 1_000, settle: 30, before: 30, outage: 60, after: 45 });

/** Without it, all pauses and rhythms are the same for all sidecars. */
const variants = [
  { name: 'with jitter', random: Math.random },
  { name: 'without jitter', random: () => 0 },
] as const;

const results: { readonly name: string; readonly result: OutageResult }[] = [];
for (const { name, random } of variants) {
  const result = await measureOutage({ ...options, random });
  const { recoverySeconds, lost, notRead } = result;
  console.log(name, JSON.stringify({ recoverySeconds, lost, notRead }));
  results.push({ name, result });
}

const { before, outage, after } = options;
const largest = (seconds: readonly Second[], value: (second: Second) => number) =>
  Math.max(0, ...seconds.map(value));
const during = ({ seconds }: OutageResult) => seconds.slice(before, before + outage - 1);
const since = ({ seconds }: OutageResult) => seconds.slice(before + outage - 1);
const requests = ({ requests }: Second) => requests;
const cpuShare = ({ collectorCpu }: Second) => collectorCpu / 1_000;

const curves = (value: (second: Second) => number) =>
  results.map(({ name, result }) => ({ name, values: result.seconds.map(value).map(significant) }));
const picture: BenchmarkPicture = {
  title: `${options.sidecars.toLocaleString('en-US')} sidecars and an outage of the Collector of ${outage} seconds`,
  seconds: before + outage + after,
  marked: { from: before, to: before + outage, label: 'no Collector' },
  panels: [
    { title: 'Requests each second', curves: curves(requests) },
    { title: 'Connections begun each second', curves: curves(({ connections }) => connections) },
    { title: 'CPU of the Collector, in cores', curves: curves(cpuShare) },
    { title: 'Sidecars whose newest values are in Prometheus', curves: curves(({ current }) => current) },
  ],
};

publish('herd', options, {
  tables: [
    {
      title: 'The outage',
      columns: [
        'Sidecars',
        'Connections a second during it, mean',
        'Most in one second',
        'Requests in the busiest second after it',
        'CPU of the Collector in the busiest second after it',
        'Newest values of all are back after',
        'Lost',
        'Not read in time',
      ],
      rows: results.map(({ name, result }) => ({
        label: name,
        cells: [
          measured([sum(during(result).map(({ connections }) => connections)) / (outage - 1)]),
          measured([largest(during(result), ({ connections }) => connections)]),
          measured([largest(since(result), requests)]),
          measured([100 * largest(since(result), cpuShare)], '% of a core'),
          measured([result.recoverySeconds], 's'),
          measured([result.lost]),
          measured([result.notRead]),
        ],
      })),
    },
  ],
  targets: results.slice(0, 1).flatMap(({ result }) => [
    {
      what: `After an outage of ${outage} s with ${options.sidecars.toLocaleString('en-US')} sidecars, the newest values of all are back`,
      unit: 's',
      atMost: 15,
      measured: significant(result.recoverySeconds),
    },
    { what: 'Snapshots lost in that outage', unit: '', atMost: 0, measured: result.lost },
    {
      what: 'Share of the sidecars whose requests come in the busiest second after it',
      unit: '',
      atMost: 0.5,
      measured: significant(largest(since(result), requests) / options.sidecars),
    },
  ]),
  picture,
});
