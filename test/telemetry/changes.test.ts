import { expect, it } from 'vitest';
import { startBridge, type TestBridge } from '../support/bridge.ts';

const totals = ['ml.training.total_epochs', 'ml.training.batches_per_epoch', 'ml.training.total_steps'];
const rarelyChanging = [...totals, 'ml.training.non_finite', 'ml.training.run.state'];

/** Writes these metrics, and returns the names of the metrics in the request that has this loss. */
async function exportedWith({ write, receiver }: TestBridge, training_loss: number, more: object = {}) {
  await write({
    metrics: {
      training_loss,
      total_epochs: 10,
      batches_per_epoch: 100,
      total_steps: 1_000,
      ...more,
    },
  });
  const isOfLoss = ({ points }: (typeof receiver.requests)[number]) =>
    points.some(({ metric, value }) => metric === 'ml.training.loss' && value === training_loss);
  await receiver.waitFor(({ requests }) => requests.some(isOfLoss), `the loss ${training_loss}`);
  const points = receiver.requests.filter(isOfLoss).flatMap((request) => request.points);
  return new Set(points.map(({ metric }) => metric));
}

const among = (exported: ReadonlySet<string>) => rarelyChanging.filter((name) => exported.has(name));

it('what rarely changes is exported at first, then when it changes and once in an export interval', async () => {
  const bridge = await startBridge();

  expect(among(await exportedWith(bridge, 1))).toEqual(rarelyChanging);
  expect(among(await exportedWith(bridge, 2))).toEqual([]);
  expect(among(await exportedWith(bridge, 3, { total_epochs: 20 }))).toEqual(['ml.training.total_epochs']);
  expect(among(await exportedWith(bridge, 4, { total_epochs: 20 }))).toEqual([]);
  expect(among(await exportedWith(bridge, 5, { total_epochs: 20, accuracy: 'NaN' }))).toEqual([
    'ml.training.non_finite',
  ]);
});

it('what rarely changes is exported again when it was absent between', async () => {
  const bridge = await startBridge();

  await exportedWith(bridge, 1);
  expect(among(await exportedWith(bridge, 2, { total_epochs: undefined }))).toEqual([]);
  expect(among(await exportedWith(bridge, 3))).toEqual(['ml.training.total_epochs']);
});

it('a run that follows another begins with all of its series', async () => {
  const bridge = await startBridge();
  const { write, receiver } = bridge;
  await exportedWith(bridge, 1);

  await write({
    job: { job_id: 'next' },
    metrics: { total_epochs: 10, batches_per_epoch: 100, total_steps: 1_000 },
  });
  const isOfNext = ({ attributes }: { readonly attributes: object }) =>
    Object.values(attributes).includes('next');
  await receiver.waitFor(
    ({ requests }) => requests.some(({ points }) => points.some(isOfNext)),
    'the first request of the next run',
  );
  const first = receiver.requests.find(({ points }) => points.some(isOfNext))?.points.filter(isOfNext);
  expect(among(new Set(first?.map(({ metric }) => metric)))).toEqual(rarelyChanging);
});

it('heartbeats contain what rarely changes', async () => {
  const bridge = await startBridge({ config: { exportIntervalMs: 50 } });
  const { receiver } = bridge;
  await exportedWith(bridge, 1);
  const before = receiver.requests.length;

  await receiver.waitFor(({ requests }) => requests.length > before, 'a heartbeat');
  const heartbeat = receiver.requests.slice(before).flatMap(({ points }) => points);
  expect(among(new Set(heartbeat.map(({ metric }) => metric)))).toEqual(rarelyChanging);
});
