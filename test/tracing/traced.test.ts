import { SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { traced } from '../../src/tracing/index.ts';
import { compiled } from './support/compiled.ts';
import { startSdk } from './support/sdk.ts';

interface Client {
  readonly queue: string;
  submit(job: string, retries?: number): Promise<string>;
  name(): string;
  fail(): never;
}

const source = `
export const createClient = (traced) => {
  class Client {
    #queue = 'gpu';
    get queue() { return this.#queue; }
    @traced('trainer.submit', { 'tenant.id': 't' }, { kind: 2 })
    async submit(job, retries) { return this.#queue + '/' + job + (retries ?? ''); }
    @traced('client.name') name() { return this.#queue; }
    @traced('client.fail') fail() { throw new Error(this.#queue + ' is full'); }
  }
  return new Client();
};`;

/** Neither Node nor the test runner reads decorators. */
async function createClient(): Promise<Client> {
  const module = await import(`data:text/javascript,${encodeURIComponent(compiled(source))}`);
  return module.createClient(traced);
}

describe('@traced', () => {
  it('makes each call a span, and leaves this, arguments and result as they are', async () => {
    const sdk = startSdk();
    const client = await createClient();
    expect(await client.submit('job-1', 2)).toBe('gpu/job-12');
    expect(client.name()).toBe('gpu');
    expect(sdk.spans()).toMatchObject([
      { name: 'trainer.submit', attributes: { 'tenant.id': 't' }, kind: 2 },
      { name: 'client.name', attributes: {}, kind: 0 },
    ]);
  });

  it('records what the method throws', async () => {
    const sdk = startSdk();
    const client = await createClient();
    expect(() => client.fail()).toThrow('gpu is full');
    expect(sdk.only().status).toEqual({ code: SpanStatusCode.ERROR, message: 'gpu is full' });
  });

  it('keeps the name and the number of parameters', async () => {
    const client = await createClient();
    expect(client.submit.name).toBe('submit');
    expect(client.submit).toHaveLength(2);
  });

  it('keeps the type', () => {
    const decorate = traced('x');
    type Method = (this: { a: number }, b: string) => Promise<boolean>;
    const decorated = (method: Method, context: ClassMethodDecoratorContext<{ a: number }, Method>) =>
      decorate(method, context);
    expectTypeOf(decorated).returns.toEqualTypeOf<Method>();
  });

  it.each([
    ['by the older decorators', [{}, 'submit', { value: () => 1 }]],
    ['on a class', [class {}, { kind: 'class' }]],
    ['on a field', [undefined, { kind: 'field' }]],
  ])('says what is wrong when it is used %s', (_how, parameters) => {
    const decorate = traced('trainer.submit') as (...all: readonly unknown[]) => unknown;
    expect(() => decorate(...parameters)).toThrow(/@traced\("trainer.submit"\) is a standard decorator/);
  });
});
