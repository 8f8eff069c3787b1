import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { readAudit } from '../../../tools/check/audit.ts';
import { dependenciesTable } from '../../../tools/generate/tables/dependencies.ts';
import { exampleText, replaceFile, temporaryFolder } from '../../support/file.ts';
import { startProcess } from '../../support/process.ts';

const dist = dirname(inject('bundle'));

/** Since Node 25 the network needs leave, too, of which there is only all. */
const network = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ' --allow-net' : '';

it('delivers with leave to read its own folder and the metrics file, and for nothing else', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const file = join(temporaryFolder(), 'current.json');
  replaceFile(file, exampleText());
  const bridge = startProcess({
    environment: {
      // No leave to write, to start processes, threads or add-ons: https://nodejs.org/api/permissions.html
      NODE_OPTIONS: `--permission --allow-fs-read=${dist}/* --allow-fs-read=${file}${network}`,
      METRICS_FILE_PATH: file,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      HEALTH_PORT: '0',
    },
  });
  await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 1.2345, 'the loss');
  bridge.child.kill('SIGTERM');
  expect(await bridge.ended, bridge.stderr()).toEqual({ code: 0, signal: null });
  expect(bridge.log.filter(({ level }) => level === 'error')).toEqual([]);
});

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
}

type Versions = Readonly<Record<string, string>>;

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dependencies?: Versions;
  readonly devDependencies?: Versions;
  readonly optionalDependencies?: Versions;
}

it('has a bill of materials that names every package of the bundle, with licence and hash', () => {
  const bom = JSON.parse(readFileSync(join(dist, 'sbom.cdx.json'), 'utf8')) as { components: Component[] };
  const notices = readFileSync(join(dist, 'THIRD_PARTY_NOTICES.txt'), 'utf8');
  const named = bom.components.map(
    ({ name, version, licenses }) => `${name} ${version} (${licenses[0]?.license.id})`,
  );
  const noticed = [...notices.matchAll(/^\S+ \d+\.\d+\.\d\S* \(\S+\)$/gm)].map(([line]) => line);
  expect(named).toEqual(noticed);
  expect(named.length).toBeGreaterThan(20);
  expect(new Set(named).size).toBe(named.length);
  for (const { purl, hashes } of bom.components) {
    expect(purl).toMatch(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d/);
    expect(hashes[0]?.content).toMatch(/^[0-9a-f]{128}$/);
  }
  expect(readFileSync('SECURITY.md', 'utf8')).toContain(`code of ${named.length} packages`);
});

it('needs no install script: npm is told to run none, and all that is tested here came that way', () => {
  expect(readFileSync('.npmrc', 'utf8').split('\n')).toContain('ignore-scripts=true');
});

it('comes from the lockfile: exact versions, a hash for each archive, and no place to get it from', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  const { '': root, ...locked } = packages;
  const direct = { ...root?.dependencies, ...root?.devDependencies, ...root?.optionalDependencies };
  expect(Object.entries(direct).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual(
    [],
  );
  const of = (isWrong: (it: LockedPackage) => boolean) =>
    Object.keys(locked).filter((name) => isWrong(locked[name] ?? {}));
  expect(Object.keys(locked).length).toBeGreaterThan(100);
  expect(of(({ integrity = '' }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity))).toEqual([]);
  expect(of(({ resolved }) => resolved !== undefined)).toEqual([]);
  // Two copies of the SDK would not know each other's classes and state.
  const copies = Object.keys(locked).filter((name) =>
    /node_modules\/.*node_modules\/@opentelemetry\//.test(name),
  );
  expect(copies).toEqual([]);
});

it('is installed by npm ci alone, in the image and in CI', () => {
  const files = [
    'Dockerfile',
    ...readdirSync('.github/workflows').map((name) => `.github/workflows/${name}`),
  ];
  const installs = files.flatMap((name) => [
    ...readFileSync(name, 'utf8').matchAll(/\b(?:npm (?:ci|i|install|add|update|exec)|npx|yarn|pnpm)\b.*/g),
  ]);
  expect(installs.map(([command]) => command)).toEqual(installs.map(() => 'npm ci'));
  expect(installs.length).toBeGreaterThan(2);
});

it('counts packages by what they are for', () => {
  const table = dependenciesTable({
    packages: {
      '': { dependencies: { a: '1' }, devDependencies: { b: '1', c: '1' } },
      'node_modules/a': { hasInstallScript: true },
      'node_modules/@s/a': {},
      'node_modules/b': { dev: true },
      'node_modules/b/node_modules/a': { dev: true, optional: true },
    },
  });
  const cells = table.split('\n').map((row) =>
    row
      .split('|')
      .map((cell) => cell.trim())
      .slice(2, 5),
  );
  expect(cells.slice(2)).toEqual([
    ['1', '2', 'a'],
    ['2', '2', 'none'],
  ]);
});

it.each([
  [
    'clean',
    '{ "auditReportVersion": 2, "vulnerabilities": {}, "metadata": { "vulnerabilities": { "total": 0 } } }',
    { status: 'clean' },
  ],
  [
    'found',
    '{ "vulnerabilities": { "x": { "name": "x", "severity": "low", "range": "<2" } }, "metadata": { "vulnerabilities": { "total": 1 } } }',
    { status: 'found', findings: ['x <2: low'] },
  ],
  [
    'unavailable, where the registry refuses',
    '{ "message": "405 Method Not Allowed", "statusCode": 405, "error": { "summary": "" } }',
    { status: 'unavailable', reason: '405 Method Not Allowed' },
  ],
  ['unavailable, where npm says nothing', '', { status: 'unavailable', reason: 'no response' }],
  ['unavailable, where it is no report', 'oops', { status: 'unavailable', reason: 'oops' }],
])('takes an audit for %s', (_name, output, expected) => {
  expect(readAudit(output)).toEqual(expected);
});
