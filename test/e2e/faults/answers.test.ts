import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBridge } from '../../support/bridge.ts';
import { until } from '../../support/until.ts';
import { startCollector } from '../collector.ts';

/** The HTTP status for a request with these values of the loss. */
type Answer = (losses: readonly number[]) => number;

/** What is behind the Collector: a backend that takes OTLP as JSON, or refuses it. */
async function startBackend() {
  const accepted: number[] = [];
  let answer: Answer = () => 200;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const losses = lossesIn(JSON.parse(Buffer.concat(chunks).toString()));
    const code = answer(losses);
    if (code === 200) accepted.push(...losses);
    response.writeHead(code, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const reply = (next: Answer) => {
    answer = next;
  };
  return { url: `http://127.0.0.1:${port}`, accepted, reply };
}

interface Payload {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly gauge?: { readonly dataPoints: readonly { readonly asDouble: number }[] };
      }[];
    }[];
  }[];
}

const lossesIn = ({ resourceMetrics }: Payload) =>
  resourceMetrics
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    .filter(({ name }) => name === 'ml.training.loss')
    .flatMap(({ gauge }) => gauge?.dataPoints ?? [])
    .map(({ asDouble }) => asDouble);

/** Eight snapshots wait while the backend says 503; then it answers as it is told, and what it took is given. */
async function deliver(answer: Answer) {
  const backend = await startBackend();
  const collector = await startCollector(undefined, {
    'exporters.otlp_http/backend.endpoint': backend.url,
    'exporters.otlp_http/backend.encoding': 'json',
    'exporters.otlp_http/backend.compression': 'none',
    'exporters.otlp_http/backend.sending_queue.enabled': 'false',
    'exporters.otlp_http/backend.retry_on_failure.enabled': 'false',
    'service.pipelines.metrics.exporters': '[otlp_http/backend]',
  });
  onTestFinished(collector.stop);
  backend.reply(() => 503);
  const bridge = await startBridge({
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_METRIC_EXPORT_INTERVAL: '200' },
  });
  for (let value = 1; value <= 8; value++) await bridge.write({ metrics: { training_loss: value } });
  backend.reply(answer);
  await bridge.write({ metrics: { training_loss: 9 } });
  await until(() => backend.accepted.at(-1) === 9, 'the last in the backend');
  const { undelivered } = await bridge.stop();
  expect(undelivered).toBe(0);
  return [...new Set(backend.accepted)];
}

const all = [1, 2, 3, 4, 5, 6, 7, 8, 9];

describe('a backend behind the Collector', () => {
  it.each([408, 429, 500, 502, 503, 504])('that says %i twice loses nothing', async (code) => {
    let asked = 0;
    expect(await deliver((losses) => (losses.length > 0 && ++asked <= 2 ? code : 200))).toEqual(all);
    expect(asked).toBeGreaterThan(2);
  });

  it.each([400, 409, 413])('that says %i to one snapshot loses that one alone', async (code) => {
    expect(await deliver((losses) => (losses.includes(4) ? code : 200))).toEqual(
      all.filter((value) => value !== 4),
    );
  });

  it('that takes two snapshots at most gets all of them', async () => {
    expect(await deliver((losses) => (losses.length > 2 ? 413 : 200))).toEqual(all);
  });

  it('that says 501 loses the request and goes on', async () => {
    expect(await deliver((losses) => (losses.includes(1) ? 501 : 200))).toContain(9);
  });
});
