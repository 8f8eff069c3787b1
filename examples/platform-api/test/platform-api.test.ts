import assert from 'node:assert/strict';
import { after, before, beforeEach, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { startPlatform } from './support/platform.ts';
import { spans } from './support/tracing.ts';

let platform: Awaited<ReturnType<typeof startPlatform>>;
let stopWorker: () => Promise<void>;
let atStart: readonly string[] = [];
before(async () => {
  platform = await startPlatform();
  stopWorker = await platform.startWorker();
  atStart = spans.getFinishedSpans().map(({ name }) => name);
});
after(async () => {
  await stopWorker();
  await platform.stop();
});
beforeEach(() => {
  spans.reset();
  platform.cluster.created.length = 0;
  platform.cluster.refuses = undefined;
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const caller = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };

const ended = (name: string, kind: SpanKind) =>
  spans.getFinishedSpans().filter((one) => one.name === name && one.kind === kind);

/** Waits for the span number `index` of a name. */
async function spanOf(name: string, kind: SpanKind, index = 0): Promise<ReadableSpan> {
  for (let turn = 0; turn < 1000; turn++) {
    const span = ended(name, kind)[index];
    if (span !== undefined) return span;
    await setTimeout(5);
  }
  throw new Error(`no span ${name}`);
}

/** A request, and its span: that ends when the response is closed, which its reader may see first. */
async function traced(route: string, url: string, init: RequestInit = {}) {
  const before = ended(route, SpanKind.SERVER).length;
  const response = await fetch(url, init);
  return { response, span: await spanOf(route, SpanKind.SERVER, before) };
}

/** The worker's span of a message. */
const processed = () => spanOf('process training-jobs', SpanKind.CONSUMER);

const post = (
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
  address = platform.address,
) =>
  traced('POST /training/jobs', `${address}/training/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const get = (name: string) => traced('GET /training/jobs/:name', `${platform.address}/training/jobs/${name}`);

async function stateOf(name: string): Promise<unknown> {
  const { response } = await get(name);
  return ((await response.json()) as { state: unknown }).state;
}

function only(name: string, kind = SpanKind.CLIENT): ReadableSpan {
  const [one, ...others] = ended(name, kind);
  assert.ok(one !== undefined && others.length === 0);
  return one;
}

const parentOf = (one: ReadableSpan) => one.parentSpanContext?.spanId;
const idOf = (one: ReadableSpan) => one.spanContext().spanId;

it('one request is one trace, from HTTP through registry, database and queue to the job', async () => {
  const { response, span: root } = await post({ name: 'tuning', model: 'llama-3-8b' });
  const message = await processed();
  const all = spans.getFinishedSpans();
  const below = (parent: ReadableSpan) =>
    all.filter((one) => parentOf(one) === idOf(parent)).map(({ name }) => name);
  assert.deepEqual(below(root), ['GET', 'pg.query:INSERT postgres', 'send training-jobs']);
  assert.deepEqual(below(only('GET')), ['GET /models/:name']);
  assert.deepEqual(below(only('send training-jobs', SpanKind.PRODUCER)), [
    'redis-XADD',
    'process training-jobs',
  ]);
  assert.deepEqual(below(message), [
    'trainer.submit_job',
    'pg.query:UPDATE postgres',
    'redis-XACK',
    'redis-XDEL',
  ]);
  assert.equal(new Set(all.map((one) => one.spanContext().traceId)).size, 1);
  assert.equal(all.length, 11);
  assert.equal(response.status, 202);
  assert.deepEqual(await response.json(), {
    name: 'tuning',
    model: 'llama-3-8b',
    traceId: root.spanContext().traceId,
  });
});

it('the job gets the context of its submission', async () => {
  await post({ name: 'with-context', model: 'llama-3-8b' });
  await processed();
  const one = only('trainer.submit_job');
  assert.equal(one.attributes['kubeflow.job.name'], 'with-context');
  assert.equal(one.attributes['gen_ai.request.model'], 'llama-3-8b');
  const header = `00-${one.spanContext().traceId}-${idOf(one)}-01`;
  const { template } = platform.cluster.created[0]?.spec ?? assert.fail('no job was created');
  assert.deepEqual(template.metadata.annotations, { 'opentelemetry.io/traceparent': header });
  assert.deepEqual(template.spec.containers[0]?.env, [
    { name: 'MODEL_URI', value: 's3://models/llama-3-8b/1.2' },
    { name: 'TRACEPARENT', value: header },
  ]);
});

it('goes on with the trace of whoever asks, and leaves their baggage behind', async () => {
  const { span: root } = await post(
    { name: 'called', model: 'resnet-50' },
    { ...caller, tracestate: 'vendor=a', baggage: 'user=alice' },
  );
  await processed();
  assert.equal(root.spanContext().traceId, traceId);
  assert.equal(parentOf(root), '00f067aa0ba902b7');
  const manifest = JSON.stringify(platform.cluster.created);
  assert.match(manifest, new RegExp(`00-${traceId}-${idOf(only('trainer.submit_job'))}-01`));
  assert.match(manifest, /vendor=a/);
  assert.doesNotMatch(manifest, /alice/);
});

it('who asked, with what, and how long it took', async () => {
  const { span } = await post(
    { name: 'asked', model: 'resnet-50' },
    { 'user-agent': 'notebook/1', 'x-forwarded-for': '203.0.113.7' },
  );
  await processed();
  const { attributes, duration } = span;
  assert.equal(attributes['client.address'], '203.0.113.7');
  assert.equal(attributes['user_agent.original'], 'notebook/1');
  assert.equal(attributes['http.request.method'], 'POST');
  assert.equal(attributes['http.route'], '/training/jobs');
  assert.equal(attributes['http.response.status_code'], 202);
  const seconds = attributes['http.server.request.duration'];
  assert.ok(typeof seconds === 'number' && seconds > 0);
  assert.ok(seconds <= duration[0] + duration[1] / 1e9);
});

it('health is not traced, whatever it asks', async () => {
  for (const path of ['/healthz', '/readyz', '/readyz?verbose'])
    assert.equal((await fetch(platform.address + path)).status, 200);
  await get('none');
  assert.deepEqual(
    spans.getFinishedSpans().map(({ name }) => name),
    ['pg.query:SELECT postgres', 'GET /training/jobs/:name'],
  );
});

it('the spans of the queue say what was sent where', async () => {
  await post({ name: 'described', model: 'resnet-50' });
  const { attributes } = await processed();
  assert.equal(attributes['messaging.system'], 'redis');
  assert.equal(attributes['messaging.destination.name'], 'training-jobs');
  assert.equal(attributes['messaging.operation.type'], 'process');
  assert.match(String(attributes['messaging.message.id']), /^\d+-\d+$/);
  const added = only('redis-XADD').attributes;
  assert.equal(added['db.system.name'], 'redis');
  assert.match(String(added['db.query.text']), /^XADD training-jobs \[\d+ other arguments\]$/);
});

it('a cluster that refuses is an error in the trace, and in the database', async () => {
  platform.cluster.refuses = 'jobs.batch is forbidden';
  const { response, span } = await post({ name: 'refused', model: 'resnet-50' });
  assert.equal(response.status, 202);
  const message = await processed();
  assert.equal(span.status.code, SpanStatusCode.UNSET);
  const { status, attributes, events } = only('trainer.submit_job');
  assert.deepEqual(status, { code: SpanStatusCode.ERROR, message: 'jobs.batch is forbidden' });
  assert.deepEqual(message.status, status);
  assert.equal(attributes['error.type'], 'Error');
  assert.equal(events[0]?.name, 'exception');
  assert.equal(await stateOf('refused'), 'failed');
});

it('a Redis that is away is an error in the trace, and in the database', async () => {
  const asked = { name: 'not-queued', model: 'resnet-50' };
  const { response, span } = await post(asked, {}, platform.withoutQueue);
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), { error: 'the queue is not available' });
  assert.equal(span.status.code, SpanStatusCode.ERROR);
  assert.equal(only('send training-jobs', SpanKind.PRODUCER).status.code, SpanStatusCode.ERROR);
  assert.equal(await stateOf('not-queued'), 'failed');
  assert.equal((await fetch(`${platform.withoutQueue}/readyz`)).status, 500);
});

const stopped = {
  before: undefined,
  after: 'Error from server (AlreadyExists): jobs.batch "left" already exists',
};
for (const [when, refusal] of Object.entries(stopped))
  it(`a message of a worker that was stopped ${when} it submitted the job is delivered again`, async () => {
    await stopWorker();
    const name = `stopped-${when}`;
    const { span: root } = await post({ name, model: 'resnet-50' });
    assert.equal((await platform.queue.take('stopped'))?.training.name, name);
    assert.equal(await stateOf(name), 'queued');
    platform.cluster.refuses = refusal;
    stopWorker = await platform.startWorker();
    const message = await processed();
    assert.equal(message.status.code, SpanStatusCode.UNSET);
    assert.equal(message.spanContext().traceId, root.spanContext().traceId);
    assert.equal(platform.cluster.created.length, refusal === undefined ? 1 : 0);
    assert.equal(await stateOf(name), 'submitted');
  });

it('a registry that is away is an error in the trace, and no secret in the answer', async () => {
  const asked = { name: 'alone', model: 'resnet-50' };
  const { response, span } = await post(asked, {}, platform.withoutRegistry);
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { error: 'something went wrong; the trace says what' });
  assert.equal(span.status.code, SpanStatusCode.ERROR);
  assert.equal(span.events[0]?.name, 'exception');
  assert.equal(only('GET').status.code, SpanStatusCode.ERROR);
});

it('what happens outside of a request is no trace', () => {
  assert.deepEqual(atStart, []);
});

it('what cannot be asked for is refused, and no job submitted', async () => {
  const statusOf = async (body: object | string) => (await post(body)).response.status;
  assert.equal(await statusOf({ name: 'Not A Name', model: 'resnet-50' }), 400);
  assert.equal(await statusOf({ name: 'no-model' }), 400);
  assert.equal(await statusOf('{"name":'), 400);
  assert.equal(await statusOf({ name: 'unknown', model: 'gpt-2' }), 422);
  assert.equal(await statusOf({ name: 'twice', model: 'resnet-50' }), 202);
  assert.equal(await statusOf({ name: 'twice', model: 'resnet-50' }), 409);
  await processed();
  assert.equal(platform.cluster.created.length, 1);
});
