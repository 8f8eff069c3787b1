import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { fieldMembers, reportMembers } from '../../../src/commands/check/report-shape.ts';
import { startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { bridgeSettings } from '../../../src/config/bridge.ts';
import { exampleText, type FileOverrides, replaceFile, temporaryFolder } from '../../support/file.ts';
import { capture, commandLine } from '../../support/terminal.ts';
import { until } from '../../support/until.ts';

function openFile(content: string | FileOverrides): string {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const file = join(folder, 'current.json');
  replaceFile(file, typeof content === 'string' ? content : exampleText(content));
  return file;
}

async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  columns = 80,
) {
  return commandLine(['check', ...args], { environment, columns });
}

/** Without what differs from one machine or moment to the next. */
const steady = (text: string, file: string) =>
  text
    .replaceAll(file, '/shared/metrics/current.json')
    .replace(
      /written .* ago, owner uid \d+, gid \d+, mode/s,
      'written just now, owner uid 1000, gid 1000, mode',
    )
    .replace(/instance="[0-9a-f-]{36}"/, 'instance="8a79e7ec-18f7-5b7e-a1ff-ec2077aa7cac"');

describe('as a person reads it', () => {
  it.each([
    ['good', {}],
    ['bad', '{\n  "training_metrics": {\n    "epoch": 3\n    "training_loss": 1.5\n  }\n}\n'],
    [
      'extras',
      {
        job: { start_time: 'yesterday', jobid: 5 },
        top: { status: 'running', loss: 3 },
        metrics: {
          epoch: '3',
          training_loss: Number.NaN,
          accuracy: 67.89,
          x_custom_of_all_layers: 0.25,
          'x-custom': 1.5,
          epoch_total: 4,
          phase: 'warmup',
          validation_loss: null,
        },
      },
    ],
  ] as const)('a %s file', async (name, content) => {
    const file = openFile(content as string | FileOverrides);
    const { code, text } = await run([file]);
    expect(code).toBe(name === 'bad' ? 1 : 0);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    await expect(steady(text, file)).toMatchFileSnapshot(`../../golden/check-${name}.txt`);
  });

  it.each([60, 79, 100])('no line is wider than %i columns, whatever the names', async (columns) => {
    const wide = 'w'.repeat(64);
    const text = '损失'.repeat(60);
    const file = openFile({
      job: { job_id: 'j'.repeat(256), model_name: text, [wide]: text },
      metrics: { [wide]: 1, [`${wide}-x`]: text, [text]: 1, 'a\u001b[2J': 1 },
      top: { [text]: text },
    });
    const shown = (await run([file], {}, columns)).text;
    expect(shown).not.toContain('\u001b');
    const width = (line: string) => [...line].reduce((sum, it) => sum + (/[损失]/.test(it) ? 2 : 1), 0);
    for (const line of shown.split('\n')) expect(width(line), line).toBeLessThanOrEqual(columns);
  });

  it('has colours on a terminal that has them, and the same words', async () => {
    const file = openFile({});
    const coloured = capture({ columns: 80 });
    const output = Object.assign(coloured.output, { hasColors: () => true });
    await commandLine(['check', file], { stdout: output });
    expect(coloured.text()).toContain('\u001b[32m✓');
    expect(steady(stripVTControlCharacters(coloured.text()), file)).toBe(
      steady((await run([file])).text, file),
    );
  });
});

describe('the exit code', () => {
  it.each([
    ['0 for a good file', {}, [], 0],
    ['0 for one whose other fields are good', { metrics: { accuracy: 67 } }, [], 0],
    ['1 for that with --strict', { metrics: { accuracy: 67 } }, ['--strict'], 1],
    ['0 for a good file with --strict', {}, ['--strict'], 0],
    ['1 for no JSON', 'epoch=3', [], 1],
    ['2 for two files', {}, ['another'], 2],
    ['2 for an option there is not', {}, ['--wach'], 2],
    ['2 for a user that is none', {}, ['--uid', 'root'], 2],
    ['2 for a value there is not', {}, ['-o', 'yaml'], 2],
  ] as const)('is %s', async (_name, content, args, code) => {
    expect((await run([openFile(content), ...args])).code).toBe(code);
  });

  it('is 1 for no file, which METRICS_FILE_PATH may name', async () => {
    const { code, text } = await run([], { METRICS_FILE_PATH: '/no/such/file' });
    expect(code).toBe(1);
    expect(text).toContain('/no/such/file does not exist');
  });

  it('is 2 for wrong variables, all said at once', async () => {
    const { code, errors } = await run([], { COLLECTION_INTERVAL: 'often', LOG_LEVEL: 'loud' });
    expect(code).toBe(2);
    expect(errors).toMatch(/COLLECTION_INTERVAL is "often".*\n.*LOG_LEVEL is "loud"/);
  });

  it('suggests the option that was meant', async () => {
    expect((await run(['--wach'])).errors).toContain('unknown option --wach. Did you mean --watch?');
  });
});

describe('for scripts', () => {
  it('is one JSON document', async () => {
    const file = openFile({ metrics: { accuracy: 67.89 } });
    const { code, text } = await run([file, '--output', 'json']);
    expect(code).toBe(0);
    const report = JSON.parse(text);
    const { collector: _onlyWhenAsked, ...members } = reportMembers;
    expect(Object.keys(report).sort()).toEqual(Object.keys(members).sort());
    for (const field of report.fields)
      expect(Object.keys(fieldMembers)).toEqual(expect.arrayContaining(Object.keys(field)));
    expect(report.fields).toContainEqual({
      section: 'training_metrics',
      field: 'accuracy',
      written: '67.89',
      verdict: 'refused',
      reason: 'out_of_range',
      advice: 'must be from 0 to 1: write 0.6789',
    });
  });

  it('takes the groups of the bridge into account', async () => {
    const file = openFile({});
    chmodSync(file, 0o640);
    const gid = String(process.getgid?.());
    expect((await run([file])).code).toBe(1);
    expect((await run([file, '--gid', `65532,${gid}`])).code).toBe(0);
    expect((await run([file, '--uid', '0'])).code).toBe(0);
  });

  it('prints the JSON Schema, which describes everything', async () => {
    const { code, text } = await run(['--schema']);
    expect(code).toBe(0);
    const schema = JSON.parse(text);
    expect(schema).toMatchObject({ $schema: expect.stringContaining('2020-12'), type: 'object' });
    expect(schema.properties.training_metrics.properties.accuracy).toEqual({
      type: 'number',
      minimum: 0,
      maximum: 1,
      description: 'Accuracy, 0 to 1',
    });
    const undescribed = (
      it: { properties?: Record<string, typeof it>; description?: string },
      path: string,
    ): string[] =>
      Object.entries(it.properties ?? {}).flatMap(([name, member]) => [
        ...(member.description === undefined ? [`${path}.${name}`] : []),
        ...undescribed(member, `${path}.${name}`),
      ]);
    expect(undescribed(schema, '')).toEqual([]);
    expect(undescribed(schema.properties.events.items, 'events')).toEqual([]);
  });
});

describe('--print-config', () => {
  it('says what is set and where, and no secret', async () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4317',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hunter2, x-tenant=secret',
      STALE_AFTER: '60',
    };
    const { code, text } = await run(['--print-config'], environment);
    expect(code).toBe(0);
    expect(text).not.toMatch(/hunter2|secret/);
    const [given = '', defaults = ''] = text.split('\n\n');
    expect(given.split('\n').sort()).toEqual([
      '  OTEL_EXPORTER_OTLP_ENDPOINT=https://collector:4317',
      '  OTEL_EXPORTER_OTLP_HEADERS=authorization=…,x-tenant=…',
      '  STALE_AFTER=60',
      'From the environment',
    ]);
    expect(defaults.split('\n')).toHaveLength(1 + Object.keys(bridgeSettings).length - 3);
    expect(text).toContain('Collector at collector:4317, with TLS');
  });

  it('as JSON names the source of each, and every problem', async () => {
    const environment = { LOG_LEVEL: 'loud', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:hunter2@collector' };
    const { code, text } = await run(['--print-config', '-o', 'json'], environment);
    expect(code).toBe(2);
    expect(text).not.toContain('hunter2');
    const report = JSON.parse(text);
    expect(report.settings).toHaveLength(Object.keys(bridgeSettings).length);
    expect(report.settings).toContainEqual({ variable: 'LOG_LEVEL', source: 'environment', value: 'loud' });
    expect(report.settings).toContainEqual({ variable: 'STALE_AFTER', source: 'default', value: '300' });
    expect(report.problems).toHaveLength(2);
  });
});

describe('--collector', () => {
  it('adds how far the Collector can be reached', async () => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const file = openFile({});
    const good = await run([file, '--collector'], { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    expect(good.code).toBe(0);
    expect(good.text).toMatch(/✓ OTLP {8}an empty export was accepted in \d+ ms\n$/);
    await receiver.stop();
    const bad = await run([file, '--collector', '-o', 'json'], {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    });
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.text)).toMatchObject({ status: 'usable', collector: { status: 'failed' } });
  });
});

describe('--watch', () => {
  async function watching(
    file: string,
    args: readonly string[],
    properties: Parameters<typeof capture>[0] = {},
    variables: Readonly<Record<string, string>> = {},
  ) {
    const stop = new AbortController();
    const shown = capture(properties);
    const environment = { COLLECTION_INTERVAL: '0.01', ...variables };
    const ended = commandLine(['check', file, '--watch', ...args], {
      environment,
      stdout: shown.output,
      signal: stop.signal,
    });
    onTestFinished(() => stop.abort());
    return {
      shows: (text: string | RegExp) =>
        until(
          () => (typeof text === 'string' ? shown.text().includes(text) : text.test(shown.text())),
          `${text}, of ${shown.text()}`,
        ),
      text: shown.text,
      stop: () => {
        stop.abort();
        return ended.then(({ code }) => code);
      },
    };
  }

  it('prints what each write changes, and how it ended', async () => {
    const file = openFile({});
    const { shows, stop } = await watching(file, []);
    await shows('Usable: ');
    replaceFile(file, exampleText({ metrics: { epoch: 4, training_loss: 1, own: 5, accuracy: undefined } }));
    await shows(/\d\d:\d\d:\d\d {2}epoch 3 → 4, training_loss 1\.2345 → 1, own added: 5, accuracy removed\n/);
    replaceFile(file, '{"training_metrics": {"epoch": 5,}}');
    await shows(/ {2}not usable: line 1, column 33: unexpected comma\n/);
    replaceFile(file, exampleText({ metrics: { epoch: 5, training_loss: 1, own: 5, accuracy: undefined } }));
    await shows(/\d {2}usable, epoch 4 → 5\n/);
    const later = Date.now() / 1000 + 5;
    utimesSync(file, later, later);
    await shows('written, no changes');
    expect(await stop()).toBe(0);
  });

  it('says nothing while nothing is written', async () => {
    const file = openFile({});
    const { shows, text, stop } = await watching(file, ['-o', 'json']);
    await shows('\n');
    await sleep(200);
    await stop();
    expect(text().trim().split('\n')).toHaveLength(1);
  });

  it('waits for a file that is not there yet, and gives 1 where none came', async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const file = join(folder, 'later', 'current.json');
    const { shows, stop } = await watching(file, []);
    await shows('does not exist');
    mkdirSync(join(folder, 'later'));
    replaceFile(file, exampleText());
    await shows(/\d {2}usable\n/);
    await shows('Usable: ');
    writeFileSync(file, 'x');
    await shows('is expected, not x');
    expect(await stop()).toBe(1);
  });

  it('is a JSON document a line', async () => {
    const file = openFile({});
    const { shows, text, stop } = await watching(file, ['-o', 'json']);
    await shows('\n');
    replaceFile(file, exampleText({ metrics: { epoch: 4 } }));
    await shows(/\n.*\n/);
    await stop();
    const lines = text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ status: 'usable' }, { status: 'usable' }]);
  });

  it('draws one screen anew on a terminal, and fits it', async () => {
    const file = openFile({
      metrics: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`own_${index}`, index])),
    });
    const { shows, text, stop } = await watching(file, [], { isTTY: true, columns: 80, rows: 24 });
    await shows('Ctrl-C to stop');
    replaceFile(file, exampleText({ metrics: { epoch: 4 } }));
    await shows('3 → 4');
    await stop();
    const screens = text().split('\u001b[H\u001b[2J').slice(1);
    expect(screens).toHaveLength(2);
    for (const screen of screens) {
      const lines = screen.split('\n');
      expect(lines.length).toBeLessThanOrEqual(24);
      for (const line of lines) expect(line.length).toBeLessThan(80);
    }
    expect(screens[1]).toMatch(/✓ epoch +3 → 4 +ml\.training\.epoch\n/);
  });

  it('rounds, so that a change fits its column', async () => {
    const file = openFile({});
    const { shows, stop } = await watching(file, [], { isTTY: true, columns: 80, rows: 24 });
    await shows('Ctrl-C to stop');
    replaceFile(
      file,
      exampleText({ metrics: { learning_rate: 0.00081450625, training_loss: 1.2, accuracy: Number.NaN } }),
    );
    await shows(/✓ accuracy +0\.6789 → NaN +is not finite: /);
    await shows(/✓ learning_rate {6}0\.0008574 → 0\.0008145 ml\.training\.learning_rate\n/);
    await shows(/✓ training_loss {6}1\.2345 → 1\.2 +ml\.training\.loss\n/);
    await stop();
  });

  it.each([
    [{ isTTY: true, columns: 80, rows: 24 }, [], /✓ Collector at 127\.0\.0\.1:\d+: reachable\n/],
    [{ columns: 80 }, [], /Collector at 127\.0\.0\.1:\d+, in plaintext\n/],
    [{}, ['-o', 'json'], /^\{"collector":\{"status":"ok"/m],
  ] as const)('shows the Collector while it watches: %j %j', async (properties, args, expected) => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const { shows, stop } = await watching(openFile({}), ['--collector', ...args], properties, {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    });
    await shows(expected);
    expect(await stop()).toBe(0);
  });

  it('ends at once, and with 1 where the Collector could not be reached', async () => {
    const { shows, stop } = await watching(
      openFile({}),
      ['--collector'],
      { isTTY: true },
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      },
    );
    await shows('✗ Collector at 127.0.0.1:1: connection: ');
    expect(await stop()).toBe(1);
  });

  function spawnWatch(file: string) {
    const args = [inject('bundle'), 'check', '--watch', file];
    const child = spawn(process.execPath, args, { env: { COLLECTION_INTERVAL: '0.01' } });
    onTestFinished(() => void child.kill('SIGKILL'));
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        said[name] += chunk;
      });
    }
    const ended = new Promise((resolve) => child.once('exit', (code, by) => resolve([code, by])));
    return { child, said, ended };
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('ends well on %s', async (signal) => {
    const { child, said, ended } = spawnWatch(openFile({}));
    await until(() => said.stdout.includes('Usable: '), 'the report');
    child.kill(signal);
    expect(await ended).toEqual([0, null]);
    expect(said.stderr).toBe('');
  });

  it('ends well when nobody reads any more', async () => {
    const file = openFile({});
    const { child, said, ended } = spawnWatch(file);
    await until(() => said.stdout.includes('Usable: '), 'the report');
    child.stdout.destroy();
    replaceFile(file, exampleText({ metrics: { epoch: 4 } }));
    expect(await ended).toEqual([0, null]);
    expect(said.stderr).toBe('');
  });
});
