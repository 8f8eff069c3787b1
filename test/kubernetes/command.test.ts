import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/file.ts';
import { commandLine } from '../support/terminal.ts';

const manifest =
  'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: trainer\n      image: train:1\n';
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

async function run(args: readonly string[], input = manifest, environment: Record<string, string> = {}) {
  const { code, text, errors } = await commandLine(['inject', ...args], { environment, input });
  return { code, output: text, errors: errors.split('\n').filter((it) => it !== '' && it !== hint) };
}

const hint = 'See ml-metrics-bridge inject --help.';

it('reads a file, however it is named, or standard input', async () => {
  const file = join(temporaryFolder(), 'pod.yaml');
  writeFileSync(file, manifest);
  const expected = await run([]);
  expect(expected).toMatchObject({
    code: 0,
    errors: [],
    output: expect.stringContaining('otel-metrics-bridge'),
  });
  for (const args of [[file], ['-f', file], ['--filename', file], ['-'], ['-f', '-']])
    expect(await run(args)).toEqual(expected);
});

it('takes every option', async () => {
  const options = [
    '--mode',
    'container',
    '--image',
    'registry/bridge:1',
    '--endpoint',
    'http://collector.otel:4317',
  ];
  const path = '/shared/metrics/latest.json';
  const { code, output } = await run(
    [...options, '--volume', 'results', '--container', 'trainer', '--trace', '--metrics-path', path],
    manifest,
    {
      TRACEPARENT: traceparent,
    },
  );
  expect(code).toBe(0);
  for (const text of [
    'value: container',
    'registry/bridge:1',
    'http://collector.otel:4317',
    'name: results',
    traceparent,
    path,
  ])
    expect(output).toContain(text);
  expect(await run(['--remove'], output)).toEqual({ code: 0, output: manifest, errors: [] });
});

it.each<[string, readonly string[], string, number, RegExp]>([
  ['a path that is relative', ['--metrics-path', 'm.json'], manifest, 2, /must be an absolute path/],
  [
    'a glob that is relative',
    ['--rank-files', 'rank-*'],
    manifest,
    2,
    /--rank-files "rank-\*" must be an abs/,
  ],
  ['an unknown option', ['--modus', 'native'], manifest, 2, /unknown option --modus. Did you mean --mode/],
  ['an unknown mode', ['--mode', 'nativ'], manifest, 2, /--mode is "nativ", expected native or container/],
  ['two files', ['a', 'b'], manifest, 2, /also given "b"/],
  [
    'two files by the option',
    ['-f', 'a', '--filename=b'],
    manifest,
    2,
    /--filename is given twice: expected one FILE/,
  ],
  [
    'a volume that cannot be one',
    ['--volume', 'My volume'],
    manifest,
    2,
    /--volume "My volume" is not the name/,
  ],
  ['two files in two ways', ['-f', 'a', 'b'], manifest, 2, /expected one FILE/],
  ['no trace', ['--trace'], manifest, 2, /--trace: TRACEPARENT is not set/],
  [
    'a file that is not there',
    ['/nowhere/pod.yaml'],
    manifest,
    1,
    /cannot read \/nowhere\/pod.yaml: no such file/,
  ],
  [
    'a manifest that is wrong',
    [],
    `${manifest}---\nkind: Job\n`,
    1,
    /^ml-metrics-bridge inject: document 2 \(Job\)/,
  ],
  [
    'a kind that is not known, with --strict',
    ['--strict'],
    `${manifest}---\nkind: Cake\n`,
    1,
    /^ml-metrics-bridge inject: document 2 \(Cake\): line 8: kind Cake is not known/,
  ],
  [
    'a wrong quantity',
    ['--requests', 'cpu=much'],
    manifest,
    2,
    /--requests: "cpu=much" is not RESOURCE=QUANTITY/,
  ],
  [
    'a container that is not there',
    ['--container', 'train'],
    manifest,
    1,
    /spec has no container train; there are trainer/,
  ],
])('%s is refused, and nothing is printed', async (_name, args, input, code, message) => {
  expect(await run(args, input)).toEqual({ code, output: '', errors: [expect.stringMatching(message)] });
});

it('reports a kind that is not known, and passes it through', async () => {
  const { code, output, errors } = await run([], `${manifest}---\nkind: Cake\n`);
  expect({ code, errors }).toEqual({
    code: 0,
    errors: [expect.stringMatching(/document 2 \(Cake\): kind Cake is not known: passed through unchanged/)],
  });
  expect(output).toContain('---\nkind: Cake\n');
});

it('changes a bridge that is there to what is asked for, and nothing else', async () => {
  const before = (await run(['--image', 'registry/bridge:1', '--endpoint', 'http://a:4317'])).output;
  const options = ['--image', 'registry/bridge:2', '--requests', 'cpu=20m'];
  const { output, errors } = await run(options, before);
  expect(errors.map((it) => it.replace(/^.*spec:? /, ''))).toEqual([
    'has the bridge already',
    'image was registry/bridge:1, is registry/bridge:2',
    'resources.requests.cpu was 10m, is 20m',
  ]);
  const expected = before.replace('registry/bridge:1', 'registry/bridge:2').replace('cpu: 10m', 'cpu: 20m');
  expect(output).toBe(expected);
  expect((await run(options, output)).output).toBe(output);
  expect((await run([], output)).output, 'what is not asked for stays').toBe(output);
  expect((await run(['--mode', 'container'], output)).errors).toEqual([
    expect.stringMatching(/has the bridge in mode native: take it out with inject --remove/),
  ]);
});

it('keeps a byte order mark, from a file and from standard input', async () => {
  const marked = `\uFEFF${manifest}`;
  const file = join(temporaryFolder(), 'pod.yaml');
  writeFileSync(file, marked);
  expect((await run([file])).output.startsWith('\uFEFF')).toBe(true);
  expect((await run([], marked)).output.startsWith('\uFEFF')).toBe(true);
});

it('refuses bytes that are not UTF-8, because it could not give them back', async () => {
  const file = join(temporaryFolder(), 'pod.yaml');
  writeFileSync(file, Buffer.concat([Buffer.from(manifest), Buffer.from([0x23, 0xe9, 0x0a])]));
  expect(await run([file])).toMatchObject({ code: 1, output: '', errors: [expect.stringMatching(/UTF-8/)] });
});

it('refuses a trace context that is none', async () => {
  const { code, errors } = await run(['--trace'], manifest, { TRACEPARENT: '00-0-0-0' });
  expect({ code, errors }).toEqual({
    code: 2,
    errors: [expect.stringContaining('TRACEPARENT is "00-0-0-0"')],
  });
});

it.each([
  [['--endpoint', 'not a url'], /--endpoint "not a url" cannot be used/],
  [['--endpoint', 'ftp://collector:21'], /scheme ftp: is not supported/],
  [['--image', 'two words'], /--image "two words" is not an image reference/],
])('refuses what the bridge could not be started with: %j', async (args, message) => {
  const { code, errors } = await run(args);
  expect(code).toBe(2);
  expect(errors).toEqual([expect.stringMatching(message)]);
});
