// What the bridge costs beside bare Node and beside its peers, all at the same time and of the same file.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { startReceiver } from '../src/commands/demo/receiver/receiver.ts';
import type { BenchmarkTable, Target } from '../tools/generate/tables/performance.ts';
import { buildAsInImage } from './support/bundle.ts';
import { buildImage, docker, image, imageBytes, workingSetOf } from './support/docker.ts';
import { readOptions } from './support/options.ts';
import { installPython } from './support/peers.ts';
import { print, publish } from './support/result.ts';
import { measureSideBySide, type Usage } from './support/side-by-side.ts';
import { measured, median, ratios, significant } from './support/statistics.ts';
import {
  bareNode,
  bridge,
  installMinimalSender,
  minimalSender,
  peers,
  type SubjectOptions,
} from './support/subjects.ts';
import { createWriter } from './support/writer.ts';

/** `seconds` are measured after `settle` seconds, in each round of each phase. */
const options = readOptions({ rounds: 3, seconds: 60, settle: 15 });

const phases = [
  { title: '1 snapshot a second', intervalMs: 1_000, news: true },
  { title: '1 snapshot in 10 seconds, the default poll', intervalMs: 10_000, news: true },
  { title: 'No new snapshots, polled once per second', intervalMs: 1_000, news: false },
] as const;

/** A folder with the bundle of another checkout, to compare with. Its figures are printed and not kept. */
const { BASELINE: baselineDist } = process.env;
const labels = { bridge: 'the bridge', atOnce: 'the bridge, EXPORT_MIN_INTERVAL=0', baseline: 'BASELINE' };

const built = await buildAsInImage();
const baseline = baselineDist === undefined ? undefined : await buildAsInImage(baselineDist);
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

function subjectsOf(common: SubjectOptions, news: boolean) {
  return [
    bareNode(common),
    bridge({ ...common, label: labels.bridge }),
    ...(news && common.intervalMs < 5_000
      ? [bridge({ ...common, label: labels.atOnce, exportMinInterval: '0' })]
      : []),
    ...(baseline ? [bridge({ ...common, built: baseline, label: labels.baseline })] : []),
    ...(news ? [minimalSender(common)] : []),
    ...peers(common),
  ];
}

const usages = phases.map(() => new Map<string, Usage[]>());
const workingSets = new Map<string, number[]>();
const hasDocker = buildImage();
const containers = hasDocker ? startContainers() : new Map<string, string>();
const push = <T>(map: Map<string, T[]>, key: string, value: T) =>
  map.set(key, [...(map.get(key) ?? []), value]);
try {
  for (let round = 0; round < options.rounds; round++)
    for (const [at, { intervalMs, news }] of phases.entries()) {
      const used = await measureSideBySide(subjectsOf({ built, file, intervalMs }, news), {
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
  baseline?.remove();
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
    columns: ['Program', 'RSS', 'Anonymous', 'CPU of a core', 'CPU per snapshot', 'Bytes per snapshot'],
    rows: [...(usages[at] ?? [])].map(([label, list]) => ({
      label,
      cells: [
        column(list, 'rss', 'MB'),
        column(list, 'anonymous', 'MB'),
        column(list, 'cpuPercent', '%'),
        news ? column(list, 'cpuMsPerSnapshot', 'ms') : null,
        news ? column(list, 'bytesPerSnapshot', 'B') : null,
      ],
    })),
  };
});
const inContainers: BenchmarkTable = {
  title: 'Working set, as `docker stats` shows it',
  columns: ['Program', 'Memory'],
  rows: [...workingSets].map(([label, list]) => ({ label, cells: [measured(list, 'MiB')] })),
};
const size = (): BenchmarkTable => ({
  title: 'Size of the image',
  columns: ['What', 'Size'],
  rows: [{ label: 'the image, Node in it', cells: [measured([imageBytes() / 1e6], 'MB')] }],
});

/** Pair by pair, the usage of the bridge divided by that of another program in the same phase. */
function ratioTo(label: string, name: keyof Usage, phase = 0): number[] {
  const of = (subject: string) => usages[phase]?.get(subject)?.map((usage) => usage[name]) ?? [];
  const [ours, theirs] = [of(labels.bridge), of(label)];
  return theirs.length === 0 ? [] : [significant(median(ratios(ours, theirs)))];
}
const medianOf = (phase: number, name: keyof Usage) =>
  significant(median((usages[phase]?.get(labels.bridge) ?? []).map((usage) => usage[name])));
const target = (what: string, unit: string, atMost: number, values: readonly number[]): Target[] =>
  values.map((value) => ({ what, unit, atMost, measured: value }));
const perSnapshot = 'CPU per snapshot at one a second, beside';
const workingSet = workingSets.get('the bridge in a container');

const findings = {
  tables: hasDocker ? [...tables, inContainers, size()] : tables,
  targets: [
    ...target('RSS beside bare Node', '×', 1.55, ratioTo('bare Node', 'rss')),
    ...target('Anonymous memory beside bare Node', '×', 2.7, ratioTo('bare Node', 'anonymous')),
    ...target('Working set of the container', 'MiB', 25, workingSet ? [significant(median(workingSet))] : []),
    ...target(
      `${perSnapshot} Telegraf that flushes every second`,
      '×',
      1.75,
      ratioTo('Telegraf, flush every 1 s', 'cpuMsPerSnapshot'),
    ),
    ...target(
      `${perSnapshot} the OpenTelemetry SDK for Python that exports every second`,
      '×',
      1,
      ratioTo('OpenTelemetry SDK for Python, export every 1 s', 'cpuMsPerSnapshot'),
    ),
    ...target(
      'CPU while nothing is new, beside Telegraf that flushes every second',
      '×',
      0.75,
      ratioTo('Telegraf, flush every 1 s', 'cpuPercent', 2),
    ),
    ...target('Bytes on the wire per snapshot at one a second', 'B', 450, [medianOf(0, 'bytesPerSnapshot')]),
    ...target(`${perSnapshot} BASELINE`, '×', 0.62, ratioTo(labels.baseline, 'cpuMsPerSnapshot')),
    ...target(
      'CPU per snapshot at one in 10 s, beside BASELINE',
      '×',
      1,
      ratioTo(labels.baseline, 'cpuMsPerSnapshot', 1),
    ),
  ],
};
if (baseline === undefined) publish('cost', options, findings);
else print(findings);
