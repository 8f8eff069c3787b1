import { startReceiver } from '../src/receiver/receiver.ts';

/** What arrived so far. */
export interface Arrived {
  readonly requests: number;
  /** Distinct series, by metric, attributes and resource; those that came and went count as well. */
  readonly series: number;
  /** The highest count of batches of each file's bridge. */
  readonly batches: Readonly<Record<string, number>>;
}

export type Report = { readonly endpoint: string } | Arrived;

/** A process of its own, so that the memory of the one that is measured is the bridge's. */
const series = new Set<string>();
const batches: Record<string, number> = {};
let requests = 0;

const receiver = await startReceiver({
  keep: 0,
  onRequest({ points }) {
    requests += 1;
    for (const { metric, attributes, resource, value } of points) {
      const instance = String(resource['service.instance.id']);
      series.add(`${instance} ${metric} ${JSON.stringify(attributes)}`);
      if (metric === 'ml.training.batch_number') batches[instance] = Math.max(batches[instance] ?? 0, value);
    }
  },
});

const report = (message: Report) => process.send?.(message);
process.on('message', () => report({ requests, series: series.size, batches }));
process.on('disconnect', () => receiver.stop());
report({ endpoint: receiver.endpoint });
