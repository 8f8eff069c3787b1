import assert from 'node:assert/strict';
import { after, before, beforeEach, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { startPlatform } from './support/platform.ts';
import { spans } from './support/tracing.ts';

let platform: Awaited<ReturnType<typeof startPlatform>>;
let atStart: readonly string[] = [];
before(async () => {
  platform = await startPlatform();
  atStart = spans.getFinishedSpans().map(({ name }) => name);
});
after(() => platform.stop());
beforeEach(() => {
  spans.reset();
  platform.cluster.created.length = 0;
  platform.cluster.refuses = undefined;
});

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const caller = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };

const ended = (name: string, kind: SpanKind) =>
  spans.getFinishedSpans().filter((one) => one.name === name && one.kind === kind);

/** A request, and its span: that ends when the response is closed, which its reader may see first. */
async function traced(route: string, url: string, init: RequestInit = {}) {
  const before = ended(route, SpanKind.SERVER).length;
  const response = await fetch(url, init);
  for (let turn = 0; turn < 1000; turn++) {
    const span = ended(route, SpanKind.SERVER)[before];
    if (span !== undefined) return { response, span };
    await setTimeout(5);
  }
  throw new Error(`no span ${route}`);
}

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

function only(name: string): ReadableSpan {
  const [one, ...others] = ended(name, SpanKind.CLIENT);
  assert.ok(one !== undefined && others.length === 0);
  return one;
}

const parentOf = (one: ReadableSpan) => one.parentSpanContext?.spanId;
const idOf = (one: ReadableSpan) => one.spanContext().spanId;

it('one request is one trace, from HTTP through registry and database to the job', async () => {
  const { response, span: root } = await post({ name: 'tuning', model: 'llama-3-8b' });
  const all = spans.getFinishedSpans();
  const below = (parent: ReadableSpan) =>
    all.filter((one) => parentOf(one) === idOf(parent)).map(({ name }) => name);
  assert.deepEqual(below(root), [
    'GET',
    'pg.query:INSERT postgres',
    'trainer.submit_job',
    'pg.query:UPDATE postgres',
  ]);
  assert.deepEqual(below(only('GET')), ['GET /models/:name']);
  assert.equal(new Set(all.map((one) => one.spanContext().traceId)).size, 1);
  assert.equal(all.length, 6);
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), {
    name: 'tuning',
    model: 'llama-3-8b',
    traceId: root.spanContext().traceId,
  });
});

it('the job gets the context of its submission', async () => {
  await post({ name: 'with-context', model: 'llama-3-8b' });
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
  const { attributes, duration } = span;
  assert.equal(attributes['client.address'], '203.0.113.7');
  assert.equal(attributes['user_agent.original'], 'notebook/1');
  assert.equal(attributes['http.request.method'], 'POST');
  assert.equal(attributes['http.route'], '/training/jobs');
  assert.equal(attributes['http.response.status_code'], 201);
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

it('a cluster that refuses is an error in the trace, and in the database', async () => {
  platform.cluster.refuses = 'jobs.batch is forbidden';
  const { response, span } = await post({ name: 'refused', model: 'resnet-50' });
  assert.equal(response.status, 502);
  assert.equal(span.status.code, SpanStatusCode.ERROR);
  const { status, attributes, events } = only('trainer.submit_job');
  assert.deepEqual(status, { code: SpanStatusCode.ERROR, message: 'jobs.batch is forbidden' });
  assert.equal(attributes['error.type'], 'Error');
  assert.equal(events[0]?.name, 'exception');
  const { response: job } = await get('refused');
  assert.deepEqual(await job.json(), { name: 'refused', model: 'resnet-50', state: 'failed' });
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
  assert.equal(await statusOf({ name: 'twice', model: 'resnet-50' }), 201);
  assert.equal(await statusOf({ name: 'twice', model: 'resnet-50' }), 409);
  assert.equal(platform.cluster.created.length, 1);
});
