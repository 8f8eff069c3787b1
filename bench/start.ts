// From the start of the process to the first exported value, beside a bare Node that opens one gRPC channel.
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { startReceiver } from '../src/commands/demo/receiver/receiver.ts';
import { buildAsInImage, type Program } from './support/bundle.ts';
import { readOptions } from './support/options.ts';
import { start } from './support/process.ts';
import { publish } from './support/result.ts';
import { measured, median, ratios, significant } from './support/statistics.ts';
import { createWriter } from './support/writer.ts';

const options = readOptions({ rounds: 20 });

const receiver = await startReceiver();
const built = await buildAsInImage();
const file = join(built.folder, 'current.json');
createWriter(file).write();

const channelFile = join(built.folder, 'app', 'channel.cjs');
await build({
  entryPoints: [fileURLToPath(new URL('peers/channel.ts', import.meta.url))],
  outfile: channelFile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  conditions: ['require'],
});

const bridgeSettings = {
  METRICS_FILE_PATH: file,
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
  HEALTH_PORT: '0',
};

/** Milliseconds until the value is at the receiver. */
async function bridgeMs(): Promise<number> {
  const before = receiver.points('ml.training.loss').length;
  const begun = performance.now();
  const running = start(built.bridge, bridgeSettings);
  await receiver.waitFor(({ points }) => points('ml.training.loss').length > before, 'the first value');
  const ms = performance.now() - begun;
  await running.stop();
  return ms;
}

/** Milliseconds until a program has written something. */
async function untilItSpeaks(program: Program): Promise<number> {
  const begun = performance.now();
  const running = start(program, { TARGET: `127.0.0.1:${receiver.port}` });
  if (running.child.stdout) await once(running.child.stdout, 'data');
  const ms = performance.now() - begun;
  await running.stop();
  return ms;
}

const programs = {
  'the bridge, to the first value at the receiver': bridgeMs,
  'bare Node with one gRPC channel, to its being open': () => untilItSpeaks(built.node([channelFile])),
  'bare Node, to its first line': () => untilItSpeaks(built.node(['-e', 'console.log("ready")'])),
};
const times = new Map<string, number[]>(Object.keys(programs).map((label) => [label, []]));
try {
  // The first round fills the compile cache of each and is not counted.
  for (let round = 0; round <= options.rounds; round++)
    for (const [label, measure] of Object.entries(programs)) {
      const ms = await measure();
      if (round > 0) times.get(label)?.push(ms);
    }
} finally {
  await receiver.stop();
  built.remove();
}

const [bridge = [], channel = []] = times.values();
const compared = ratios(bridge, channel);
publish('start', options, {
  tables: [
    {
      title: 'From the start of the process',
      columns: ['Program', 'Time', 'Beside the channel'],
      rows: [...times].map(([label, list]) => ({
        label,
        cells: [measured(list, 'ms'), measured(ratios(list, channel), '×')],
      })),
    },
  ],
  targets: [
    {
      what: 'Start to first exported value, beside bare Node with a gRPC channel',
      unit: '×',
      atMost: 2,
      measured: significant(median(compared)),
    },
  ],
});
