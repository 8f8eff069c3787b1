import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { type ProcessOptions, startProcess, type TestProcess } from '../support/process.ts';

/** Each secret in a place where people put secrets. Whatever the process prints is searched for all of them. */
const secrets = {
  header: 'hunter-header',
  headerFile: 'hunter-file',
  user: 'hunter-user',
  key: 'hunterkey',
};

async function setUp() {
  const folder = temporaryFolder();
  const path = (name: string) => join(folder, name);
  writeFileSync(path('headers'), `x-api-key=${secrets.headerFile}\n`);
  writeFileSync(path('no-headers'), `${secrets.headerFile}\n`);
  writeFileSync(path('key'), `-----BEGIN PRIVATE KEY-----\n${secrets.key}\n-----END PRIVATE KEY-----\n`);
  writeFileSync(path('trap.mjs'), `process.on('SIGUSR2', () => { throw new Error('escaped'); });`);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const environment = {
    LOG_LEVEL: 'debug',
    METRICS_FILE_PATH: path('current.json'),
    COLLECTION_INTERVAL: '0.02',
    SHUTDOWN_TIMEOUT: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secrets.header}`,
    OTEL_EXPORTER_OTLP_HEADERS_FILE: path('headers'),
  };
  const preload = pathToFileURL(path('trap.mjs')).href;
  const start = (more: Readonly<Record<string, string>>, options: Partial<ProcessOptions> = {}) =>
    startProcess({ environment: { ...environment, ...more }, preload, ...options });
  replaceFile(path('current.json'), exampleText());
  return { receiver, path, start };
}

async function printed(process: TestProcess): Promise<string> {
  await process.ended;
  return process.log.map((line) => JSON.stringify(line)).join('\n') + process.stderr();
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

function expectNoSecret(output: string): void {
  for (const secret of Object.values(secrets)) expect(output).not.toContain(secret);
  expect(output).not.toContain(base64(secrets.header));
  // Wherever it begins within the three bytes of four characters.
  for (const before of ['', 'x', 'xx'])
    expect(output).not.toContain(base64(before + secrets.key).slice(4, -4));
}

const mtls = {
  OTEL_EXPORTER_OTLP_ENDPOINT: 'https://localhost:4317',
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/no/such',
};

describe('no secret is printed', () => {
  it('by a bridge that is refused and then crashes', async () => {
    const { receiver, start } = await setUp();
    // As some do, it repeats what it was given.
    receiver.reply(({ headers }) => ({
      status: 'error',
      code: status.UNAUTHENTICATED,
      message: `not known: ${headers.authorization}, ${secrets.header}, ${headers['x-api-key']}`,
    }));
    const bridge = start({});
    await bridge.said('Collector refuses the credentials: data waits until the files are renewed');
    expect(receiver.requests[0]?.headers).toMatchObject({
      authorization: `Bearer ${secrets.header}`,
      'x-api-key': secrets.headerFile,
    });
    bridge.child.kill('SIGUSR2');
    const output = await printed(bridge);
    expect(output).toContain('escaped');
    expect(output).toContain('not known: ***, ***, ***');
    expectNoSecret(output);
  });

  it('by a bridge of which a part is refused', async () => {
    const { receiver, start } = await setUp();
    receiver.reply(({ headers }) => ({
      status: 'ok',
      partialSuccess: { rejectedDataPoints: 1, errorMessage: `too much for ${headers['x-api-key']}` },
    }));
    const bridge = start({});
    await bridge.said(
      'Collector accepted a request but rejected some of its points; this may happen with every request',
    );
    bridge.child.kill('SIGTERM');
    const output = await printed(bridge);
    expect(output).toContain('too much for ***');
    expectNoSecret(output);
  });

  it.each([
    [
      'user and password in the address',
      () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://me:${secrets.user}@h` }),
    ],
    [
      'a password with a slash in the address',
      () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://me:a/${secrets.user}@h` }),
    ],
    ['headers that are none', () => ({ OTEL_EXPORTER_OTLP_HEADERS: secrets.header })],
    [
      'a file of headers that are none',
      (path: (name: string) => string) => ({ OTEL_EXPORTER_OTLP_HEADERS_FILE: path('no-headers') }),
    ],
    [
      'headers in place of a file of headers',
      () => ({ OTEL_EXPORTER_OTLP_HEADERS_FILE: `x-api-key=${secrets.headerFile}` }),
    ],
    [
      'a key in place of its file',
      () => ({ ...mtls, OTEL_EXPORTER_OTLP_CLIENT_KEY: `-----BEGIN PRIVATE KEY-----${secrets.key}` }),
    ],
    [
      'a key in base64 in place of its file',
      () => ({
        ...mtls,
        OTEL_EXPORTER_OTLP_CLIENT_KEY: base64(`-----BEGIN PRIVATE KEY-----\n${secrets.key}`),
      }),
    ],
    [
      'a key that is none',
      (path: (name: string) => string) => ({
        OTEL_EXPORTER_OTLP_ENDPOINT: 'https://localhost:4317',
        OTEL_EXPORTER_OTLP_CLIENT_KEY: path('key'),
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: path('key'),
      }),
    ],
  ])('where the configuration is wrong: %s', async (_what, environment) => {
    const { path, start } = await setUp();
    const wrong = environment(path);
    const bridge = start(wrong);
    const output = await printed(bridge);
    expect(await bridge.ended).toMatchObject({ code: 2 });
    for (const variable of Object.keys(wrong).slice(-1)) expect(output).toContain(variable);
    expectNoSecret(output);
    for (const args of [
      ['check', '--collector'],
      ['check', '--print-config'],
      ['check', '--print-config', '--output', 'json'],
    ])
      expectNoSecret(await printed(start(wrong, { args })));
  });

  it('where a token stands in place of headers, and its padding makes it the name of one', async () => {
    const { path, start } = await setUp();
    const token = base64(`${secrets.header}1`);
    expect(token).toMatch(/[^=]=$/);
    const environment = { OTEL_EXPORTER_OTLP_HEADERS: token };
    const bridge = start(environment);
    await bridge.said('Training run began');
    bridge.child.kill('SIGTERM');
    const outputs = [await printed(bridge)];
    for (const form of [[], ['--output', 'json']])
      outputs.push(await printed(start(environment, { args: ['check', '--print-config', ...form] })));
    outputs.push(await printed(start(environment, { args: ['check', '--collector', path('current.json')] })));
    for (const output of outputs) expect(output).not.toContain(token.slice(0, 8));
  });

  it.each([[[]], [['--output', 'json']]])('by check, %j', async (form) => {
    const { start } = await setUp();
    for (const what of ['--collector', '--print-config']) {
      const output = await printed(start({}, { args: ['check', what, ...form] }));
      expect(output).not.toBe('');
      expectNoSecret(output);
    }
  });
});

describe('a file of credentials that is wrong at the start', () => {
  it.each([
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', 'no-such', 'does not exist'],
    ['OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE', 'headers', 'contains no PEM certificate'],
    ['OTEL_EXPORTER_OTLP_HEADERS_FILE', 'no-headers', 'must contain key=value pairs'],
  ])('is a wrong configuration that names %s and the path', async (variable, file, reason) => {
    const { path, start } = await setUp();
    const bridge = start({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://localhost:4317', [variable]: path(file) });
    expect(await bridge.ended).toEqual({ code: 2, signal: null });
    const { problems } = await bridge.said('Configuration is invalid');
    expect(problems).toEqual([expect.stringContaining(`${variable} is "${path(file)}", which ${reason}`)]);
  });

  it('does not matter where nothing is sent', async () => {
    const { start } = await setUp();
    const bridge = start({ OTEL_METRICS_EXPORTER: 'none', OTEL_EXPORTER_OTLP_HEADERS_FILE: '/no/such' });
    await bridge.said('Training run began');
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
  });
});
