import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { docker, dockerOutput, repository } from './docker.ts';

const bridgeImage = 'ml-metrics-bridge:latest';
/** Any image with a shell; it has no folder /shared/metrics. */
const trainerImage = 'node:26-trixie-slim';
const writeFile =
  'cd /shared/metrics && echo \'{"training_metrics": {"training_loss": 0.5}}\' > new.json && mv new.json current.json';

const bridge = () => ['--name', `${volume}-bridge`, '--mount', `${mount},readonly`, bridgeImage];
const trainer = () => ['--name', `${volume}-trainer`, '--user', '1000:1000', '--mount', mount];
let volume: string;
let mount: string;
let volumes = 0;

beforeAll(async () => {
  await docker(['compose', '-f', `${repository}/docker-compose.yaml`, 'build', 'otel-metrics-bridge']);
});

beforeEach(async () => {
  volume = `ml-metrics-bridge-e2e-${process.pid}-${++volumes}`;
  mount = `type=volume,source=${volume},target=/shared/metrics`;
  await docker(['volume', 'create', volume]);
});

afterEach(async () => {
  await docker(['rm', '--force', `${volume}-bridge`, `${volume}-trainer`]);
  await docker(['volume', 'rm', volume]);
});

const createBridge = () => docker(['create', ...bridge()]);
const createTrainer = () => docker(['create', ...trainer(), trainerImage, 'sh', '-c', writeFile]);

it.each([
  ['bridge', [createBridge, createTrainer]],
  ['trainer', [createTrainer, createBridge]],
] as const)(
  'a training of another user writes to a new volume, the %s created first',
  async (_name, order) => {
    for (const create of order) await create();
    await docker(['start', '--attach', `${volume}-trainer`]);
    const check = ['run', '--rm', '--mount', `${mount},readonly`, bridgeImage, 'check'];
    expect(await dockerOutput(check)).toContain('Usable');
  },
);

it('a training may replace the file of another user', async () => {
  await createBridge();
  await createTrainer();
  await docker(['start', '--attach', `${volume}-trainer`]);
  const other = ['run', '--rm', '--user', '2000:2000', '--mount', mount, trainerImage];
  await docker([...other, 'sh', '-c', writeFile]);
  expect(await docker([...other, 'stat', '-c', '%u', '/shared/metrics/current.json'])).toBe('2000\n');
});
