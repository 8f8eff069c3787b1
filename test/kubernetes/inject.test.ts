import { describe, expect, it } from 'vitest';
import { parse, parseDocument, stringify } from 'yaml';
import { injectManifest, removeFromManifest } from '../../src/kubernetes/inject.ts';
import { type InjectOptions, injectDefaults } from '../../src/kubernetes/options.ts';

const head = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: train\nspec:\n';
const pod = (spec: string, before = head) => `${before}${spec.replace(/^/gm, '  ')}\n`;
const trainer = 'containers:\n- name: trainer\n  image: train:1';

function injected(manifest: string, options: Partial<InjectOptions> = {}) {
  const injection = injectManifest(manifest, { ...injectDefaults, ...options });
  if (injection.status === 'invalid') throw new Error(injection.problems.join('\n'));
  return injection;
}

const bridgeOf = (manifest: string) =>
  parse(manifest).spec.initContainers.find(({ name }: { name: string }) => name === 'otel-metrics-bridge');

describe('what cannot be injected is said, with the document it is in', () => {
  const deployment = 'apiVersion: apps/v1\nkind: DaemonSet\nmetadata:\n  name: agents\n';
  it.each([
    [
      'an unknown kind, alone',
      deployment,
      /^document 1 \(DaemonSet agents\): line 1: kind DaemonSet of apps is not known; pods are looked for in Pod, /,
    ],
    [
      'a kind of another group',
      pod(trainer).replace('v1', 'acme.io/v1'),
      /document 1 \(Pod train\): line 1: kind Pod of acme.io/,
    ],
    ['no kind', 'a: 1\n', /^document 1 \(no kind\): line 1: kind is missing/],
    ['a text', 'hello\n', /^document 1: line 1: is not a Kubernetes resource/],
    ['nothing', '', /^the manifest is empty$/],
    ['only others', 'apiVersion: v1\nkind: ConfigMap\n', /^no resource of the manifest runs a pod$/],
    ['no container', pod('containers: []'), /^document 1 \(Pod train\): line 6: spec has no container/],
    ['only a mesh', pod('containers:\n- name: istio-proxy'), /line 6: spec has no container/],
    ['containers that are no list', pod('containers: 3'), /line 6: spec.containers is not a list/],
    ['a container that is no map', pod('containers: [trainer]'), /line 6: spec.containers\[0\] is not a map/],
    [
      'no template',
      'apiVersion: batch/v1\nkind: Job\nspec: {}\n',
      /document 1 \(Job\): line 1: Job has no pod template/,
    ],
    [
      'an item of a List',
      `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec: {}\n`,
      /^document 1, items\[0\] \(Pod\): line 6: spec has no container/,
    ],
    ['wrong YAML', `${pod(trainer)}---\na: [\n`, /^document 2, line \d+: /],
    ['a key twice', 'kind: Pod\nkind: Job\n', /^document 1, line 2: Map keys must be unique/],
    [
      'an addition to an anchor that is used elsewhere',
      pod(`containers:\n- &t\n  name: trainer\n- *t`),
      /^document 1: line 8: the anchor &t is used elsewhere, and what is added to one place/,
    ],
    [
      'an addition to an alias',
      pod(`x: &m [{name: d, mountPath: /d}]\n${trainer}\n  volumeMounts: *m`),
      /line 10: volumeMounts is an alias, and what is added to one place would be added to all/,
    ],
    [
      'an addition to what comes from a merge key',
      pod(`${trainer}\n  <<: {volumeMounts: [{name: d, mountPath: /d}]}`),
      /line 7: volumeMounts comes from a merge key/,
    ],
    [
      'what --remove could not restore',
      '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "t"}],\n"volumes":[]}}',
      /^document 1: line 2: --remove could not restore this text byte by byte/,
    ],
    [
      'an addition to keys with an anchor',
      pod('containers:\n- &first name: trainer\n  image: *first'),
      /^document 1: line 5: cannot be edited here without changing its meaning/,
    ],
    ['an alias without its anchor', pod('containers: *c'), /^document 1: line 6: has the alias \*c without/],
    [
      'metadata that is a list',
      `${pod(trainer).replace(/metadata:\n.*\n/, 'metadata: []\n')}`,
      /line 3: metadata is/,
    ],
    [
      'an error of syntax behind a quoted text that looks like a template',
      pod(`${trainer}\n  args: ["{{x}}", '{{ .Names }}'] # {{ .Name }}\n  env: [`),
      /^document 1, line 1\d: Flow sequence in block collection must be/,
    ],
    [
      'an anchor that refers to itself',
      pod(`${trainer}\n  env: &e [*e]`),
      /line 9: has an anchor that refers to itself/,
    ],
    [
      'an empty map with an anchor',
      pod(trainer)
        .replace('metadata:', 'metadata: &m {} #')
        .replace(/\n {2}name: train\n/, '\n'),
      /line 3: the empty metadata has an anchor, a tag or a comment: write it as \{\}$/,
    ],
    [
      'nothing with a tag',
      pod(`${trainer}\nvolumes: !!null`),
      /line 9: the empty volumes has an anchor, a tag or a comment: write it as \[\]$/,
    ],
    [
      'an empty list with a comment before it',
      pod(`${trainer}\nvolumes: # none\n  []`),
      /line 9: the empty volumes has an anchor, a tag or a comment/,
    ],
    [
      'an open block of text at the end of the file',
      pod(
        `initContainers:\n- name: a\n  args:\n  - |\n    one`,
        `${head}  ${trainer.replaceAll('\n', '\n  ')}\n`,
      ).slice(0, -1),
      /would gain a line break/,
    ],
    [
      'a file on no volume',
      pod(`${trainer}\n  env:\n  - name: METRICS_FILE_PATH\n    value: /app/m.json`),
      /line 7: container trainer of spec writes \/app\/m.json \(METRICS_FILE_PATH\), which is on no volume: mount one at \/app/,
    ],
    [
      'a path of other variables',
      pod(`${trainer}\n  env:\n  - name: METRICS_FILE_PATH\n    value: $(OUT)/m.json`),
      /line 10: .*METRICS_FILE_PATH=\$\(OUT\)\/m.json: the bridge needs an absolute path/,
    ],
  ])('%s', (_name, manifest, message) => {
    const injection = injectManifest(manifest, injectDefaults);
    expect(injection).toEqual({ status: 'invalid', problems: [expect.stringMatching(message)] });
  });

  it.each([
    ['a container', { container: 'train' }],
    ['a file', { metricsPath: '/out/m.json' }],
    ['files of ranks', { rankFiles: '/out/rank-*' }],
  ])('%s that the pod does not have, with the line of the pod', (_name, options) => {
    const manifest = `kind: Service\n---\n${pod(trainer)}`;
    for (const text of [manifest, injected(manifest).text])
      expect(injectManifest(text, { ...injectDefaults, ...options })).toEqual({
        status: 'invalid',
        problems: [expect.stringMatching(/^document 2 \(Pod train\): line (?!3:)\d+: /)],
      });
  });

  it('all of it at once', () => {
    const injection = injectManifest(`kind: Job\n---\n${pod('containers: []')}`, injectDefaults);
    expect(injection.status === 'invalid' && injection.problems).toHaveLength(2);
  });

  it('two containers that say different files, until one is named', () => {
    const env = (path: string) =>
      `  env:\n  - name: METRICS_FILE_PATH\n    value: ${path}\n  volumeMounts:\n  - name: d\n    mountPath: /d`;
    const manifest = pod(
      `containers:\n- name: a\n${env('/d/a.json')}\n- name: b\n${env('/d/b.json')}\nvolumes:\n- name: d`,
    );
    expect(injectManifest(manifest, injectDefaults)).toMatchObject({
      problems: [
        expect.stringContaining('containers a and b of spec both set METRICS_FILE_PATH: say which trains'),
      ],
    });
    const { text } = injected(manifest, { container: 'b' });
    expect(bridgeOf(text).env).toContainEqual({ name: 'METRICS_FILE_PATH', value: '/d/b.json' });
    expect(injectManifest(manifest, { ...injectDefaults, container: 'c' })).toMatchObject({
      problems: [expect.stringContaining('spec has no container c; there are a, b')],
    });
  });
});

describe('a file that the user names', () => {
  const mounted = (name: string, mountPath: string) =>
    `- name: ${name}\n  env:\n  - name: METRICS_FILE_PATH\n    value: /x/m.json\n  volumeMounts:\n  - name: ${name}-volume\n    mountPath: ${mountPath}`;
  const manifest = pod(
    `containers:\n${mounted('loader', '/data')}\n${mounted('trainer', '/out')}\nvolumes:\n- name: loader-volume\n- name: trainer-volume`,
  );
  const fileOf = (text: string) =>
    bridgeOf(text).env.find(({ name }: { name: string }) => name === 'METRICS_FILE_PATH').value;

  it('is on the volume of the container that has one for it', () => {
    const { text } = injected(manifest, { metricsPath: '/out/run-1/m.json' });
    expect(fileOf(text)).toBe('/out/run-1/m.json');
    expect(bridgeOf(text).volumeMounts).toEqual([
      { name: 'trainer-volume', mountPath: '/out', readOnly: true },
    ]);
    expect(removeFromManifest(text)).toMatchObject({ text: manifest });
  });

  it('may be the folder of the volume', () => {
    expect(fileOf(injected(manifest, { metricsPath: '/out' }).text)).toBe('/out');
  });

  it('is set on the trainer of a TrainJob', () => {
    const job =
      'apiVersion: trainer.kubeflow.org/v1alpha1\nkind: TrainJob\nmetadata:\n  name: t\nspec:\n  runtimeRef:\n    name: torch\n';
    const { text } = injected(job, { metricsPath: '/out/log.jsonl' });
    expect(parse(text).spec.trainer.env).toContainEqual({
      name: 'METRICS_FILE_PATH',
      value: '/out/log.jsonl',
    });
  });

  it('has the format that is asked for, also in a bridge that is there already', () => {
    const formatOf = (text: string) =>
      bridgeOf(text).env.find(({ name }: { name: string }) => name === 'METRICS_FILE_FORMAT')?.value;
    const options = { metricsPath: '/out/results.csv' };
    expect(formatOf(injected(manifest, options).text)).toBeUndefined();
    const { text } = injected(manifest, { ...options, format: 'ultralytics' });
    expect(formatOf(text)).toBe('ultralytics');
    expect(formatOf(injected(text, { format: 'csv' }).text)).toBe('csv');
  });

  it('is refused if no container has a volume for it', () => {
    expect(injectManifest(manifest, { ...injectDefaults, metricsPath: '/tmp/m.json' })).toMatchObject({
      problems: [expect.stringMatching(/writes \/tmp\/m.json \(--metrics-path\), .* mount one at \/tmp/)],
    });
  });

  it('changes in a bridge that is there already, if its volume has it', () => {
    const { text } = injected(manifest, { metricsPath: '/out/a.json' });
    const again = injected(text, { metricsPath: '/out/b.json' });
    expect(fileOf(again.text)).toBe('/out/b.json');
    expect(again.notes).toContainEqual(
      expect.stringContaining('METRICS_FILE_PATH was /out/a.json, is /out/b.json'),
    );
    expect(injected(again.text, { metricsPath: '/out/b.json' }).text).toBe(again.text);
    expect(injectManifest(text, { ...injectDefaults, metricsPath: '/data/m.json' })).toMatchObject({
      problems: [expect.stringMatching(/without a volume for \/data\/m.json: .*inject --remove/)],
    });
  });
});

describe('files of other ranks', () => {
  const manifest = pod(trainer);
  const files = '/shared/metrics/rank-*.json';
  const filesOf = (text: string) =>
    bridgeOf(text).env.find(({ name }: { name: string }) => name === 'RANK_FILES')?.value;

  it('are read if they are asked for, and --remove takes them out', () => {
    expect(filesOf(injected(manifest).text)).toBeUndefined();
    const { text } = injected(manifest, { rankFiles: files });
    expect(filesOf(text)).toBe(files);
    expect(injected(text, { rankFiles: files }).text).toBe(text);
    expect(removeFromManifest(text)).toMatchObject({ text: manifest });
  });

  it('are set and changed in a bridge that is there already', () => {
    const { text } = injected(injected(manifest).text, { rankFiles: files });
    expect(filesOf(text)).toBe(files);
    const again = injected(text, { rankFiles: '/shared/metrics/ranks/*' });
    expect(filesOf(again.text)).toBe('/shared/metrics/ranks/*');
    expect(again.notes).toContainEqual(expect.stringContaining(`RANK_FILES was ${files}, is /shared`));
  });

  it.each([
    ['a new bridge', manifest],
    ['a bridge that is there already', injected(manifest).text],
  ])('are refused on a volume that %s does not mount', (_which, text) => {
    expect(injectManifest(text, { ...injectDefaults, rankFiles: '/tmp/rank-*.json' })).toMatchObject({
      problems: [
        expect.stringMatching(/at \/tmp\/rank-\*.json \(--rank-files\), .* it has \/shared\/metrics$/),
      ],
    });
  });
});

it.each([
  ['/shared/metrics', '/shared/metrics/current.json'],
  ['/shared/', '/shared/metrics/current.json'],
  ['/results/', '/results/current.json'],
])('with its volume at %s, the file is %s', (mountPath, file) => {
  const mounts = `  volumeMounts:\n  - name: metrics-volume\n    mountPath: ${mountPath}`;
  const { text } = injected(pod(`${trainer}\n${mounts}\nvolumes:\n- name: metrics-volume\n  emptyDir: {}`));
  expect(bridgeOf(text).env).toContainEqual({ name: 'METRICS_FILE_PATH', value: file });
  expect(bridgeOf(text).volumeMounts).toEqual([{ name: 'metrics-volume', mountPath, readOnly: true }]);
});

describe('the trace context', () => {
  const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=b' };

  it('is added to a bridge that is there, and removed again', () => {
    const before = injected(pod(trainer)).text;
    const { text } = injected(before, { trace });
    const fieldPath = "metadata.annotations['opentelemetry.io/traceparent']";
    expect(bridgeOf(text).env).toContainEqual({
      name: 'TRACEPARENT',
      valueFrom: { fieldRef: { fieldPath } },
    });
    expect(parse(text).metadata.annotations).toMatchObject({
      'opentelemetry.io/traceparent': trace.traceparent,
      'opentelemetry.io/tracestate': 'a=b',
    });
    expect(injected(text, { trace }).text).toBe(text);
    expect(removeFromManifest(text)).toMatchObject({ text: pod(trainer) });
  });

  it('never replaces one that is there', () => {
    const mine = injected(pod(trainer), { trace: { traceparent: 'mine', tracestate: undefined } }).text;
    expect(injected(mine, { trace }).text).not.toContain(trace.traceparent);
  });
});

it('reads the patches of a TrainJob in a moment, even if their aliases stand for billions of values', () => {
  const levels = Array.from(
    { length: 11 },
    (_, index) => `  - &l${index + 1} [${Array(9).fill(`*l${index}`)}]\n`,
  );
  const job = `apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
spec:
  levels:
  - &l0 [a]
${levels.join('')}  runtimePatches: [{manager: a/b, levels: *l11}]
`;
  const trace = {
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    tracestate: undefined,
  };
  expect(removeFromManifest(injected(job, { trace }).text)).toMatchObject({ text: job });
});

describe('notes for a person', () => {
  it.each<[string, string, Partial<InjectOptions>, RegExp]>([
    ['a bridge that is there', injected(pod(trainer)).text, {}, /has the bridge already/],
    ['the network of the node', pod(`hostNetwork: true\n${trainer}`), {}, /no health port there/],
    ['the network of the node in YAML 1.1', pod(`hostNetwork: yes\n${trainer}`), {}, /no health port there/],
    [
      'little time to end',
      pod(`terminationGracePeriodSeconds: 10\n${trainer}`),
      { mode: 'container' },
      /below 45/,
    ],
  ])('%s', (_name, manifest, options, note) => {
    expect(injected(manifest, options).notes).toEqual([expect.stringMatching(note)]);
  });

  const template = { spec: { containers: [{ name: 'trainer', image: 'train:1' }] } };
  const resource = (apiVersion: string, kind: string, spec: object) =>
    stringify({ apiVersion, kind, metadata: { name: 'train' }, spec }, { aliasDuplicateObjects: false });
  const rayCluster = resource('ray.io/v1', 'RayCluster', {
    headGroupSpec: { template },
    workerGroupSpecs: [{ groupName: 'small', template }],
  });

  it.each([
    ['head', 'spec.workerGroupSpecs[0].template.spec'],
    ['workers', 'spec.headGroupSpec.template.spec'],
  ] as const)('pods of a Ray cluster without the bridge, with --ray-nodes %s', (rayNodes, other) => {
    const { text, notes } = injected(rayCluster, { rayNodes });
    expect(notes).toEqual([
      `document 1 (RayCluster train): ${other} does not get the bridge: --ray-nodes is ${rayNodes}`,
    ]);
    const { headGroupSpec, workerGroupSpecs } = parse(text).spec;
    expect([headGroupSpec, workerGroupSpecs[0]].map((it) => 'initContainers' in it.template.spec)).toEqual([
      rayNodes === 'head',
      rayNodes === 'workers',
    ]);
  });

  it.each([
    [
      'TrainJob',
      resource('trainer.kubeflow.org/v1alpha1', 'TrainJob', { runtimeRef: { name: 'torch' } }),
      /takes its containers from a runtime, .* kubectl get clustertrainingruntime torch -o yaml/,
    ],
    [
      'RayJob on another cluster',
      resource('ray.io/v1', 'RayJob', { clusterSelector: { 'ray.io/cluster': 'shared' } }),
      /runs on the RayCluster that its clusterSelector names, which needs the bridge/,
    ],
  ])('where the pods of a %s come from', (_name, manifest, note) => {
    expect(injected(manifest).notes).toEqual([expect.stringMatching(note)]);
  });

  it('a kind that is not known, whatever its aliases', () => {
    const cake =
      'apiVersion: a/v1\nkind: Cake\nmetadata: &m\n  name: c\nspec: [&s {containers: []}, *s, *m]\n';
    const problem = /^document 1 \(Cake c\): line 1: kind Cake of a is not known; pods are looked for in/;
    expect(injectManifest(cake, injectDefaults)).toMatchObject({
      problems: [expect.stringMatching(problem)],
    });
    expect(injected(`${cake}---\n${pod(trainer)}`)).toMatchObject({
      text: expect.stringContaining(cake),
      notes: ['document 1 (Cake c): kind Cake of a is not known: passed through unchanged'],
    });
  });

  it('a bridge by hand is neither changed nor removed', () => {
    const manifest = pod(`${trainer}\n- name: otel-metrics-bridge\n  image: mine:1`);
    expect(injected(manifest).text).toBe(manifest);
    expect(removeFromManifest(manifest)).toMatchObject({
      text: manifest,
      notes: [expect.stringContaining('left there')],
    });
  });

  it('a bridge by hand that would keep its Job running, or its pod from being ready, is reported', () => {
    const manifest = pod(
      `${trainer}\n- name: otel-metrics-bridge\n  image: mine:1\n  readinessProbe: {httpGet: {path: /readyz}}`,
    );
    expect(injected(manifest)).toMatchObject({
      text: manifest,
      notes: [
        expect.stringContaining('has the bridge already'),
        expect.stringMatching(/a plain container without SIDECAR_MODE=container: it keeps a Job running/),
        expect.stringMatching(/the readinessProbe of the bridge decides whether the pod is ready: remove it/),
      ],
    });
  });

  it('a volume that is in use by now is left there', () => {
    const used = injected(pod(trainer)).text.replace(
      'containers:\n  - name: trainer',
      'containers:\n  - name: late\n    volumeMounts:\n    - name: metrics-volume\n      mountPath: /m\n  - name: trainer',
    );
    expect(removeFromManifest(used)).toMatchObject({
      text: expect.stringContaining('emptyDir'),
      notes: [expect.stringContaining('the volume is left there')],
    });
  });
});

it.each(['|', '|+', '>'])('keeps an open block %s of text at the end of the file there', (header) => {
  // A line break after it would become part of the text.
  const open = `args:\n      - ${header}\n        one`;
  const manifest = `${head}  containers:\n    - name: trainer\n      image: train:1\n      ${open}`;
  const { text } = injected(manifest);
  expect(text.endsWith(open)).toBe(true);
  expect(removeFromManifest(text)).toMatchObject({ text: manifest });
});

it('indents a new list like the other lists of its map', () => {
  const lists =
    'securityContext:\n  supplementalGroups:\n  - 1\ncontainers:\n  - name: trainer\n    image: train:1';
  const { text } = injected(pod(lists));
  expect(text).toContain('\n  initContainers:\n    - name: otel-metrics-bridge\n');
  expect(text).toContain('\n  volumes:\n    - name: metrics-volume\n');
});

it('reads the first of several maps that are merged', () => {
  const env = (path: string) => `{env: [{name: METRICS_FILE_PATH, value: ${path}}]}`;
  const merged = `containers:\n- name: trainer\n  <<: [${env('/a/m.json')}, ${env('/b/m.json')}]\n  volumeMounts: [{name: d, mountPath: /a}]\nvolumes:\n- name: d`;
  expect(bridgeOf(injected(pod(merged)).text).env).toContainEqual({
    name: 'METRICS_FILE_PATH',
    value: '/a/m.json',
  });
});

it('writes text that YAML 1.1 would not read as text in quotes', () => {
  const mounts = `  volumeMounts:\n  - {name: "on", mountPath: /shared/metrics, subPath: "1_000"}`;
  const { text } = injected(pod(`${trainer}\n${mounts}\nvolumes:\n- name: "on"`));
  const read = parseDocument(text, { version: '1.1' }).toJS();
  expect(read.spec.initContainers[0].volumeMounts).toMatchObject([{ name: 'on', subPath: '1_000' }]);
});

it('takes a text for Alertmanager for no template', () => {
  const config = `apiVersion: v1\nkind: ConfigMap\ndata:\n  title: '{{ template "title" . }}'\n---\n`;
  expect(injected(config + pod(trainer)).text).toContain(config);
});

it('keeps how numbers and truths are written', () => {
  const manifest = pod(`${trainer}\n  flags: [yes, on, 0644, 1e3, 0x1F, ~, "no"]`);
  expect(injected(manifest).text).toContain('flags: [yes, on, 0644, 1e3, 0x1F, ~, "no"]');
});

it('keeps comments behind keys and empty values, and gives them back', () => {
  const manifest = `apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
  initContainers: [] # none yet
  # what trains
  containers: # one
  - name: t
    image: x # the newest
    volumeMounts: []   # here
`;
  const injected = injectManifest(manifest, injectDefaults);
  if (injected.status !== 'ok') throw new Error('not injected');
  for (const line of [
    '  initContainers: # none yet',
    '  # what trains',
    '  containers: # one',
    '    volumeMounts:   # here',
  ]) {
    expect(injected.text.split('\n')).toContain(line);
  }
  expect(removeFromManifest(injected.text)).toMatchObject({ status: 'ok', text: manifest });
});
