import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startBridge } from '../support/bridge.ts';
import { replaceFile, temporaryFolder } from '../support/file.ts';
import { instantQuery } from '../support/prometheus.ts';
import { until } from '../support/until.ts';
import { type Collector, startCollector } from './collector.ts';
import { startPrometheus } from './prometheus.ts';

const ranks = [0, 1, 2, 3, 4, 5, 6, 7];

/** Writes what each rank computes: about 200 ms, a tenth more or less, times the factor of its rank. */
type WriteStep = (step: number, factorOf: (rank: number) => number) => Promise<void>;

/** A synchronous job: every step takes as long as its slowest rank needs. */
const metricsOf = (step: number, factor: number) => ({
  global_step: step,
  processing_time_ms: 500,
  rank_compute_ms: 200 * factor * (0.9 + Math.random() / 5),
});

/** A job with a pod for each rank, each with a bridge. */
async function podPerRank(jobId: string, { endpoint }: Collector): Promise<WriteStep> {
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  const bridges = await Promise.all(
    ranks.map((rank) =>
      startBridge({ environment: { ...environment, RANK: String(rank), COLLECTION_INTERVAL: '1' } }),
    ),
  );
  return async (step, factorOf) => {
    const write = (rank: number) =>
      bridges[rank]?.write({ job: { job_id: jobId }, metrics: metricsOf(step, factorOf(rank)) });
    await Promise.all(ranks.map(write));
  };
}

/** A job with all ranks in one pod, whose bridge reads the files of the others. */
async function podOfRanks(jobId: string, { endpoint }: Collector): Promise<WriteStep> {
  const folder = temporaryFolder();
  const bridge = await startBridge({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      RANK: '0',
      RANK_FILES: join(folder, 'rank-*.json'),
    },
  });
  return async (step, factorOf) => {
    for (const rank of ranks.slice(1)) {
      const content = JSON.stringify({ rank, ...metricsOf(step, factorOf(rank)) });
      replaceFile(join(folder, `rank-${rank}.json`), content);
    }
    await bridge.write({ job: { job_id: jobId }, metrics: metricsOf(step, factorOf(0)) });
  };
}

/** Writes a step twice a second until the test ends. */
function train(write: WriteStep, factorOf: (rank: number) => number): void {
  const stop = new AbortController();
  const trained = (async () => {
    for (let step = 1; !stop.signal.aborted; step++) {
      await write(step, factorOf);
      await sleep(500);
    }
  })();
  onTestFinished(async () => {
    stop.abort();
    await trained;
  });
}

it('the rank that is slow is named within two minutes, and none of a job whose ranks are equal', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.stop());
  const targets = [new URL(collector.scrapeUrl).host];
  const { url, stop } = await startPrometheus({ config: 'prometheus.yml', targets });
  onTestFinished(stop);
  const firing = async (job: string) => {
    const alerts = `ALERTS{alertname="MlTrainingStraggler", alertstate="firing", job_id="${job}"}`;
    await sleep(500);
    return (await instantQuery(url, alerts)).map(({ labels }) => labels.rank);
  };
  const named = async (job: string, since: number) => {
    const left = 120_000 - (performance.now() - since);
    await until(async () => (await firing(job)).length > 0, `a straggler of ${job}`, left);
    expect(await firing(job)).toEqual(['5']);
  };

  let slowSince = Number.POSITIVE_INFINITY;
  const slowFrom = (since: number) => (rank: number) => (rank === 5 && performance.now() >= since ? 2 : 1);
  const started = performance.now();
  train(await podPerRank('equal', collector), () => 1);
  train(await podPerRank('slow-pod', collector), slowFrom(started));
  train(await podOfRanks('slow-file', collector), slowFrom(started));
  train(await podOfRanks('slow-later', collector), (rank) => slowFrom(slowSince)(rank));
  await Promise.all([named('slow-pod', started), named('slow-file', started)]);

  // By now, two minutes of equal steps are nearly all that the rule looks back on.
  slowSince = performance.now();
  await named('slow-later', slowSince);
  for (const job of ['slow-pod', 'slow-file']) expect(await firing(job)).toEqual(['5']);
  expect(await firing('equal')).toEqual([]);
  const everNamed = 'count by (job_id, rank) (max_over_time(ALERTS{alertname="MlTrainingStraggler"}[10m]))';
  const names = (await instantQuery(url, everNamed)).map(({ labels }) => `${labels.job_id} ${labels.rank}`);
  expect(names.toSorted()).toEqual(['slow-file 5', 'slow-later 5', 'slow-pod 5']);
}, 360_000);
