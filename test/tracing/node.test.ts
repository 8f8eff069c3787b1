import { createServer } from 'node:net';
import { context, propagation, trace } from '@opentelemetry/api';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { injectToEnv, withSpan } from '../../src/tracing/index.ts';
import { configureTracing, type TracingOptions } from '../../src/tracing/node.ts';
import { startSdk } from './support/sdk.ts';
import { contextWith } from './support/trace-headers.ts';
import { startTraceReceiver } from './support/trace-receiver.ts';

beforeEach(() => {
  for (const name of Object.keys(process.env)) {
    if (/^(OTEL_|TRACING_|JAEGER_)/.test(name)) vi.stubEnv(name, undefined);
  }
  return () => vi.unstubAllEnvs();
});

const variables = (set: Readonly<Record<string, string>>) => {
  for (const [name, value] of Object.entries(set)) vi.stubEnv(name, value);
};

/** Sets tracing up until the test is over, and keeps what it says. */
function configure(options: Partial<TracingOptions> = {}) {
  const said: string[] = [];
  const tracing = configureTracing({ serviceName: 'submitter', log: (line) => said.push(line), ...options });
  onTestFinished(async () => void (await tracing.shutdown({ timeoutMs: 200 })));
  return { tracing, said };
}

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 1;
}

const nowhere = async () => `http://127.0.0.1:${await closedPort()}`;

describe('configureTracing', () => {
  it('sends spans over OTLP/gRPC, nested across awaits', async () => {
    const receiver = await startTraceReceiver();
    variables({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a' });
    const { tracing, said } = configure({ serviceVersion: '1.2.3' });
    expect(tracing).toMatchObject({ status: 'on', exporter: 'otlp' });
    await withSpan('outer', { 'job.id': 'j' }, async () => {
      await Promise.resolve();
      withSpan('inner', {}, () => undefined);
    });
    expect(await tracing.shutdown()).toEqual({ status: 'ok' });
    const [inner, outer] = receiver.spans;
    expect(inner).toMatchObject({ name: 'inner', traceId: outer?.traceId, parentSpanId: outer?.spanId });
    expect(outer).toMatchObject({
      name: 'outer',
      attributes: { 'job.id': 'j' },
      resource: {
        'service.name': 'submitter',
        'service.version': '1.2.3',
        'telemetry.sdk.language': 'nodejs',
      },
      headers: { 'x-tenant': 'a' },
    });
    expect(said).toEqual([]);
  });

  it('lets the spans of every other library keep the random flag of their parent', () => {
    configure({ endpoint: 'http://127.0.0.1:1' });
    const parent = contextWith({ traceFlags: 3 });
    const span = trace.getTracer('other').startSpan('other', {}, parent);
    expect(span.spanContext().traceFlags).toBe(3);
  });

  it('sends on demand, and says that it is done', async () => {
    const receiver = await startTraceReceiver();
    const { tracing } = configure({ endpoint: receiver.endpoint });
    withSpan('submit', {}, () => undefined);
    expect(await tracing.forceFlush()).toEqual({ status: 'ok' });
    expect(receiver.spans.map(({ name }) => name)).toEqual(['submit']);
  });

  it('reads an address without scheme as the bridge does: plaintext, with a warning', async () => {
    const receiver = await startTraceReceiver();
    variables({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint.replace('http://', '') });
    const { tracing, said } = configure();
    withSpan('submit', {}, () => undefined);
    expect(await tracing.shutdown()).toEqual({ status: 'ok' });
    expect(receiver.spans).toHaveLength(1);
    expect(said).toEqual([expect.stringContaining('has no scheme')]);
  });

  it.each([
    [{}, { 'service.name': 'submitter', 'service.version': '1', team: 'code' }],
    [
      { OTEL_RESOURCE_ATTRIBUTES: 'team=env,service.version=2' },
      { 'service.name': 'submitter', 'service.version': '2', team: 'env' },
    ],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'service.name=attribute' }, { 'service.name': 'attribute' }],
    [
      { OTEL_RESOURCE_ATTRIBUTES: 'service.name=attribute', OTEL_SERVICE_NAME: 'name' },
      { 'service.name': 'name' },
    ],
  ])('takes the resource from %j', async (set, resource) => {
    const receiver = await startTraceReceiver();
    variables({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...set });
    const { tracing } = configure({ serviceVersion: '1', resource: { team: 'code' } });
    withSpan('submit', {}, () => undefined);
    await tracing.shutdown();
    expect(receiver.spans[0]?.resource).toMatchObject(resource);
  });

  it.each([
    ['the program says so', {}, { enabled: false }],
    ['the program says so, whatever the variable says', { TRACING_ENABLED: 'true' }, { enabled: false }],
    ['TRACING_ENABLED=false', { TRACING_ENABLED: 'false' }, { enabled: true }],
    ['TRACING_ENABLED=0', { TRACING_ENABLED: '0' }, {}],
    ['OTEL_SDK_DISABLED=true', { OTEL_SDK_DISABLED: 'true' }, {}],
  ])('is off where %s, without a word', (_why, set, options) => {
    variables({ ...set, JAEGER_AGENT_HOST: 'jaeger', OTEL_BSP_SCHEDULE_DELAY: 'soon' });
    const { tracing, said } = configure(options);
    expect(tracing.status).toBe('off');
    expect(said).toEqual([]);
    withSpan('submit', {}, (span) => expect(span.isRecording()).toBe(false));
    expect(injectToEnv(undefined)).toBeUndefined();
  });

  it.each([{}, { TRACING_ENABLED: 'TRUE' }, { TRACING_ENABLED: '1' }, { TRACING_ENABLED: '' }])(
    'is on with %j',
    (set) => {
      variables({ OTEL_TRACES_EXPORTER: 'none', ...set });
      expect(configure().tracing).toMatchObject({ status: 'on', exporter: 'none' });
      withSpan('submit', {}, () => expect(injectToEnv({})).toHaveProperty('TRACEPARENT'));
    },
  );

  it('answers the variables of the Jaeger agent with what to use', () => {
    variables({ OTEL_TRACES_EXPORTER: 'none', JAEGER_AGENT_HOST: 'jaeger', JAEGER_AGENT_PORT: '6831' });
    expect(configure().said).toEqual([
      'tracing: JAEGER_AGENT_HOST and JAEGER_AGENT_PORT are not used: the Jaeger agent no longer exists. Jaeger and the OpenTelemetry Collector accept OTLP: set OTEL_EXPORTER_OTLP_ENDPOINT, for example http://jaeger:4317',
    ]);
  });

  it('says all that is wrong with the variables, and goes on with the defaults', () => {
    variables({
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '2',
      OTEL_BSP_SCHEDULE_DELAY: 'soon',
    });
    const { tracing, said } = configure();
    expect(tracing.status).toBe('on');
    expect(said).toHaveLength(2);
    expect(said.join()).toMatch(/DELAY is "soon".*SAMPLER_ARG is "2"/);
  });

  it.each([
    ['ipv4:10.0.0.1,10.0.0.2', 'list of addresses'],
    ['http://user:password@collector:4317', 'credentials in the address'],
    ['http://collector:80', 'port 80'],
    ['unix:///run/otel.sock', 'OTEL_EXPORTER_OTLP_INSECURE=true'],
    ['ftp://collector', 'ftp'],
  ])('is off where the address is %s, and throws nothing', (endpoint, reason) => {
    variables({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    const { tracing, said } = configure();
    expect(tracing).toMatchObject({ status: 'off', reason: expect.stringContaining(reason) });
    expect(said).toEqual([expect.stringContaining(reason)]);
    expect(said.join()).not.toContain('password');
    expect(withSpan('submit', {}, () => 'submitted')).toBe('submitted');
  });

  it('called twice gives back the first, and says so', () => {
    variables({ OTEL_TRACES_EXPORTER: 'none' });
    const first = configure();
    const second = configure({ serviceName: 'other' });
    expect(second.tracing).toBe(first.tracing);
    expect(second.said).toEqual([expect.stringContaining('was called before')]);
  });

  it('can be set up again after it was taken down, and is a no-op in between', async () => {
    variables({ OTEL_TRACES_EXPORTER: 'none' });
    const { tracing } = configure();
    await tracing.shutdown();
    expect(await tracing.shutdown()).toEqual({ status: 'ok' });
    withSpan('between', {}, (span) => expect(span.isRecording()).toBe(false));
    expect(propagation.fields()).toEqual([]);
    const other = context.active().setValue(Symbol('other'), 1);
    expect(context.with(other, () => context.active())).not.toBe(other);
    const again = configure();
    expect(again.said).toEqual([]);
    withSpan('after', {}, (span) => expect(span.isRecording()).toBe(true));
  });

  it('leaves another SDK in place', async () => {
    const sdk = startSdk();
    const { tracing, said } = configure();
    expect(tracing).toMatchObject({
      status: 'off',
      reason: expect.stringContaining('another OpenTelemetry SDK'),
    });
    expect(said).toHaveLength(1);
    withSpan('submit', {}, () => undefined);
    await tracing.shutdown();
    withSpan('submit', {}, () => undefined);
    expect(sdk.spans()).toHaveLength(2);
  });

  it('passes W3C trace context on to other services, and no baggage', () => {
    variables({ OTEL_TRACES_EXPORTER: 'none' });
    configure();
    const carrier = {};
    withSpan('submit', {}, () => {
      const baggage = propagation.createBaggage({ user: { value: 'alice' } });
      propagation.inject(propagation.setBaggage(context.active(), baggage), carrier);
    });
    expect(Object.keys(carrier)).toEqual(['traceparent']);
  });
});

describe('with the Collector away', () => {
  it('the application goes on, is told once, and shutdown says what was lost', async () => {
    const { tracing, said } = configure({ endpoint: await nowhere() });
    for (const job of ['a', 'b']) {
      expect(await withSpan(job, {}, async () => job)).toBe(job);
      expect(await tracing.forceFlush()).toMatchObject({ status: 'failed' });
    }
    expect(await tracing.shutdown()).toEqual({ status: 'ok' });
    expect(said).toEqual([
      expect.stringMatching(/^tracing: spans are lost, the export to http:\/\/127.* fails: 14 /),
    ]);
  });

  it('what is there at shutdown and cannot be sent is a failure, not an exception', async () => {
    const { tracing } = configure({ endpoint: await nowhere() });
    withSpan('submit', {}, () => undefined);
    expect(await tracing.shutdown()).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('14'),
    });
  });

  it('shutdown waits no longer than it is told', async () => {
    const receiver = await startTraceReceiver();
    receiver.answer('hang');
    const { tracing } = configure({ endpoint: receiver.endpoint });
    withSpan('submit', {}, () => undefined);
    const begin = performance.now();
    expect(await tracing.shutdown({ timeoutMs: 150 })).toEqual({ status: 'timeout' });
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  it('spans are printed where that was asked for', async () => {
    const print = vi.spyOn(console, 'dir').mockImplementation(() => undefined);
    onTestFinished(() => print.mockRestore());
    const { tracing, said } = configure({ endpoint: await nowhere(), fallback: 'console' });
    withSpan('submit', {}, () => undefined);
    expect(await tracing.shutdown()).toEqual({ status: 'ok' });
    expect(print.mock.calls.map(([span]) => span.name)).toEqual(['submit']);
    expect(said).toEqual([expect.stringContaining('cannot be reached, spans are printed instead')]);
  });

  it('spans are not printed where the Collector is there', async () => {
    const print = vi.spyOn(console, 'dir').mockImplementation(() => undefined);
    onTestFinished(() => print.mockRestore());
    const receiver = await startTraceReceiver();
    const { tracing } = configure({ endpoint: receiver.endpoint, fallback: 'console' });
    withSpan('submit', {}, () => undefined);
    await tracing.shutdown();
    expect(receiver.spans).toHaveLength(1);
    expect(print).not.toHaveBeenCalled();
  });

  it('spans arrive again once it is back', async () => {
    const port = await closedPort();
    const { tracing, said } = configure({ endpoint: `http://127.0.0.1:${port}` });
    withSpan('lost', {}, () => undefined);
    await tracing.forceFlush();
    const receiver = await startTraceReceiver(port);
    await vi.waitFor(
      async () => {
        withSpan('sent', {}, () => undefined);
        expect(await tracing.forceFlush()).toEqual({ status: 'ok' });
      },
      { timeout: 20_000, interval: 200 },
    );
    expect(receiver.spans.map(({ name }) => name)).toEqual(['sent']);
    expect(said.at(-1)).toMatch(/spans are exported to .* again; \d+ were lost/);
  });
});

describe('sampling', () => {
  const kept = (runs: number) => {
    let sampled = 0;
    for (let run = 0; run < runs; run++) {
      withSpan('submit', {}, (span) => {
        if (span.isRecording()) sampled += 1;
      });
    }
    return sampled;
  };

  it.each([
    ['always_on', undefined, 1000, 1000],
    ['always_off', undefined, 0, 0],
    ['traceidratio', '0', 0, 0],
    ['parentbased_always_on', undefined, 1000, 1000],
    ['parentbased_always_off', undefined, 0, 0],
    ['parentbased_traceidratio', '0.1', 50, 150],
    [undefined, undefined, 1000, 1000],
  ])('%s with %s', (sampler, argument, least, most) => {
    variables({
      OTEL_TRACES_EXPORTER: 'none',
      ...(sampler && { OTEL_TRACES_SAMPLER: sampler }),
      ...(argument && { OTEL_TRACES_SAMPLER_ARG: argument }),
    });
    configure();
    const count = kept(1000);
    expect(count).toBeGreaterThanOrEqual(least);
    expect(count).toBeLessThanOrEqual(most);
  });

  it('follows a sampled parent whatever the ratio', () => {
    variables({
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    configure();
    const remote = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true };
    const inside = trace.setSpanContext(context.active(), remote);
    expect(context.with(inside, () => kept(10))).toBe(10);
    expect(kept(10)).toBe(0);
  });
});
