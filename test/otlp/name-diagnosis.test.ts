import { expect, it } from 'vitest';
import { diagnoseName, explainName } from '../../src/otlp/name-diagnosis.ts';

it('names the likely mistake if the host does not exist', () => {
  expect(diagnoseName('otel-collector', { code: 'ENOTFOUND', message: 'getaddrinfo' })).toEqual({
    detail: 'the host name otel-collector does not exist',
    advice: expect.stringContaining('a Service in another namespace is service.namespace'),
  });
});

it.each([
  [{ code: 'EAI_AGAIN', message: 'getaddrinfo EAI_AGAIN c' }, 'getaddrinfo EAI_AGAIN c'],
  [
    { code: 'ETIMEDOUT', message: 'no answer in 1 s' },
    'the DNS servers do not respond for c: no answer in 1 s',
  ],
])('names the DNS servers after %j', (error, detail) => {
  expect(diagnoseName('c', error)).toEqual({ detail, advice: expect.stringContaining('/etc/resolv.conf') });
});

it.each(['localhost:4317', '[::1]:4317', 'unix:///run/collector.sock'])(
  'has nothing to say about %s',
  async (target) => {
    expect(await explainName(target, 5_000)).toBeUndefined();
  },
);
