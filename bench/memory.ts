// Memory and CPU of the bridge beside bare Node and beside its peers, all at the same time and of the same file.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { startReceiver } from '../src/commands/demo/receiver/receiver.ts';
import type { BenchmarkTable, Target } from '../tools/generate/tables/performance.ts';
import { buildAsInImage } from './support/bundle.ts';
import { buildImage, docker, image, workingSetOf } from './support/docker.ts';
import { readOptions } from './support/options.ts';
import { installPython } from './support/peers.ts';
import { publish } from './support/result.ts';
import { measureSideBySide, type Usage } from './support/side-by-side.ts';
import { measured, median, ratios, significant } from './support/statistics.ts';
import { bareNode, bridge, installMinimalSender, minimalSender, peers } from './support/subjects.ts';
import { createWriter } from './support/writer.ts';

/** `seconds` are measured after `settle` seconds, in each round of each phase. */
const options = readOptions({ rounds: 2, seconds: 45, settle: 15 });

const phases = [
  { title: '1 snapshot a second', intervalMs: 1_000, news: true },
  { title: '10 snapshots a second', intervalMs: 100, news: true },
  { title: 'No new snapshots, polled once per second', intervalMs: 1_000, news: false },
] as const;

const built = await buildAsInImage();
// The user of the image reads the file, too.
chmodSync(built.folder, 0o755);
const file = join(built.folder, 'current.json');
const writer = createWriter(file);
writer.write();
installPython(built.folder);
await installMinimalSender(built);
const receiver = await startReceiver({ keep: 1 });

/** The image's own Node, where Docker answers: once idle, once as the bridge. Containers by their label. */
function startContainers(): ReadonlyMap<string, string> {
  if (!buildImage()) return new Map();
  const mount = ['--volume', `${built.folder}:/shared/metrics:ro`];
  const settings = [
    `OTEL_EXPORTER_OTLP_ENDPOINT=${receiver.endpoint}`,
    'COLLECTION_INTERVAL=1',
    'HEALTH_PORT=0',
  ].flatMap((setting) => ['--env', setting]);
  const run = (...args: readonly string[]) => docker('run', '--detach', '--rm', ...args);
  const idle = ['--entrypoint', '/nodejs/bin/node', image, '-e', 'setInterval(() => undefined, 2 ** 30)'];
  return new Map([
    ['bare Node in a container', run(...idle)],
    ['the bridge in a container', run('--network', 'host', ...mount, ...settings, image)],
  ]);
}

const usages = phases.map(() => new Map<string, Usage[]>());
const workingSets = new Map<string, number[]>();
const containers = startContainers();
const push = <T>(map: Map<string, T[]>, key: string, value: T) =>
  map.set(key, [...(map.get(key) ?? []), value]);
try {
  for (let round = 0; round < options.rounds; round++)
    for (const [at, { intervalMs, news }] of phases.entries()) {
      const common = { built, file, intervalMs };
      const sending = news ? [minimalSender(common)] : [];
      const used = await measureSideBySide([bareNode(common), bridge(common), ...sending, ...peers(common)], {
        writer,
        intervalMs,
        news,
        settleMs: options.settle * 1_000,
        measureMs: options.seconds * 1_000,
        atEnd: () => {
          for (const [label, id] of containers) push(workingSets, label, workingSetOf(id) / 2 ** 20);
        },
      });
      for (const [label, usage] of used) push(usages[at] as Map<string, Usage[]>, label, usage);
    }
} finally {
  for (const id of containers.values()) docker('rm', '--force', id);
  await receiver.stop();
  built.remove();
}

const tables = phases.map(({ title, news }, at): BenchmarkTable => {
  const column = (list: readonly Usage[], name: keyof Usage, unit: string) =>
    measured(
      list.map((usage) => usage[name]),
      unit,
    );
  return {
    title,
    columns: ['Program', 'RSS', 'Anonymous', 'CPU of a core', 'CPU per snapshot'],
    rows: [...(usages[at] ?? [])].map(([label, list]) => ({
      label,
      cells: [
        column(list, 'rss', 'MB'),
        column(list, 'anonymous', 'MB'),
        column(list, 'cpuPercent', '%'),
        news ? column(list, 'cpuMsPerSnapshot', 'ms') : null,
      ],
    })),
  };
});
const inContainers: BenchmarkTable = {
  title: 'Working set, as `docker stats` shows it',
  columns: ['Program', 'Memory'],
  rows: [...workingSets].map(([label, list]) => ({ label, cells: [measured(list, 'MiB')] })),
};

const [everySecond, , idle] = usages;
/** Usage of the bridge divided by that of another program, pair by pair. */
const ratioTo = (label: string, name: keyof Usage) => {
  const [ours, theirs] = ['the bridge', label].map((of) => everySecond?.get(of)?.map((usage) => usage[name]));
  return ours && theirs ? [significant(median(ratios(ours, theirs)))] : [];
};
const idleUsages = idle?.get('the bridge') ?? [];
const idleCpu =
  idleUsages.length > 0 ? [significant(median(idleUsages.map(({ cpuPercent }) => cpuPercent)))] : [];
const target = (what: string, unit: string, atMost: number, values: readonly number[]): Target[] =>
  values.map((value) => ({ what, unit, atMost, measured: value }));

publish('memory', options, {
  tables: workingSets.size > 0 ? [...tables, inContainers] : tables,
  targets: [
    ...target('Anonymous memory beside bare Node', '×', 2, ratioTo('bare Node', 'anonymous')),
    ...target('RSS beside bare Node', '×', 1.5, ratioTo('bare Node', 'rss')),
    ...target('CPU at 1 snapshot a second, beside Telegraf', '×', 1.5, ratioTo('Telegraf', 'cpuPercent')),
    ...target('CPU of a core while nothing is new', '%', 0.1, idleCpu),
  ],
});
