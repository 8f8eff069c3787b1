import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { run } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-helm-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A chart as `helm create` lays it out, with a Job. */
function chart(): string {
  const path = join(folder, 'chart');
  mkdirSync(join(path, 'templates'), { recursive: true });
  const files = {
    'Chart.yaml': 'apiVersion: v2\nname: trainer\nversion: 0.1.0\n',
    'values.yaml': 'image: registry.example.com/train:2\nvolumes: []\nsecurityContext: {}\n',
    'templates/serviceaccount.yaml':
      'apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ .Release.Name }}\n',
    'templates/job.yaml': `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}
  labels:
    helm.sh/chart: {{ .Chart.Name }}
spec:
  template:
    spec:
      serviceAccountName: {{ .Release.Name }}
      restartPolicy: Never
      containers:
        - name: trainer
          securityContext:
            {{- toYaml .Values.securityContext | nindent 12 }}
          image: {{ .Values.image | quote }}
      volumes:
        {{- toYaml .Values.volumes | nindent 8 }}
`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

/** The program under its name, as it is installed. */
function program(): string {
  const path = join(folder, 'ml-metrics-bridge');
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${inject('bundle')}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

const shell = (command: string) => run('sh', ['-c', command]);
const accepted = (manifests: string) => run('kubectl', ['apply', '--dry-run=server', '-f', '-'], manifests);

describe('Helm', () => {
  it('renders into inject, and the API server accepts the result', async () => {
    const manifests = await shell(`helm template train ${chart()} | ${program()} inject`);
    expect(manifests).toContain('# Source: trainer/templates/job.yaml');
    expect(manifests).toContain('otel-metrics-bridge');
    expect(await accepted(manifests)).toMatch(/job\.batch\/train created/);
    await expect(
      shell(`helm template train ${chart()} | ${program()} inject | ${program()} inject --remove`),
    ).resolves.toBe(await shell(`helm template train ${chart()}`));
  });

  it('takes inject for its post-renderer', async () => {
    const options = `--post-renderer ${program()} --post-renderer-args inject`;
    const manifests = await shell(`helm template train ${chart()} ${options}`);
    expect(manifests).toContain('otel-metrics-bridge');
    expect(await accepted(manifests)).toMatch(/job\.batch\/train created/);
  });

  it('has templates that inject refuses, with the line', async () => {
    await expect(shell(`${program()} inject ${chart()}/templates/job.yaml`)).rejects.toThrow(
      /document 1, line 4: this is a template of Helm or Go, not a manifest yet: render it first/,
    );
  });
});

it('kustomize builds into inject, and the API server accepts the result', async () => {
  const path = join(folder, 'kustomization');
  mkdirSync(path);
  writeFileSync(join(path, 'kustomization.yaml'), 'namePrefix: team-\nresources: [job.yaml]\n');
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'train' } };
  const spec = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'b' }] } } };
  writeFileSync(join(path, 'job.yaml'), JSON.stringify({ ...job, spec }));
  const manifests = await shell(`kubectl kustomize ${path} | ${program()} inject`);
  expect(manifests).toContain('otel-metrics-bridge');
  expect(await accepted(manifests)).toMatch(/job\.batch\/team-train created/);
});
