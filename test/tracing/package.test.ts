import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compiled } from './support/compiled.ts';
import {
  installedProject,
  type Project,
  projectWithSdk,
  repository,
  run,
  typecheck,
} from './support/project.ts';
import { startTraceReceiver } from './support/trace-receiver.ts';

let bare: Project;
let withSdk: Project;
beforeAll(async () => {
  bare = await installedProject();
  withSdk = projectWithSdk(bare);
}, 120_000);
afterAll(() => {
  bare?.remove();
  withSdk?.remove();
});

const write = ({ folder }: Project, file: string, text: string) => writeFileSync(join(folder, file), text);

/** The same work, bare and traced, in a form that `import` and `require` both give. */
const work = `
async function work({ withSpan, startSpan, withOperation, withPhase, events, injectToEnv, injectToAnnotations }) {
  const lines = [];
  const env = { PATH: '/bin' };
  const promise = Promise.resolve(2);
  lines.push(withSpan('a', {}, () => 1), withSpan('b', {}, () => promise) === promise, await promise);
  lines.push(withPhase('model_training', {}, (span) => span.isRecording()));
  lines.push(await withOperation('trainer.submit_job', { jobName: 'j' }, async () => 'submitted'));
  lines.push(injectToEnv(env) === env, injectToEnv(undefined), injectToAnnotations(undefined));
  events.datasetLoaded({ name: 'd' });
  const open = startSpan('c', {});
  open.fail(new Error('e'));
  try { withSpan('d', {}, () => { throw new RangeError('of the caller'); }); } catch (error) { lines.push(String(error)); }
  console.log(JSON.stringify(lines));
}`;
const expected = '[1,true,2,false,"submitted",true,null,null,"RangeError: of the caller"]\n';

describe('without an SDK', () => {
  it.each([
    [
      'import',
      'main.mjs',
      `import * as tracing from 'ml-metrics-bridge/tracing';\n${work}\nawait work(tracing);`,
    ],
    ['require', 'main.cjs', `${work}\nwork(require('ml-metrics-bridge/tracing'));`],
  ])('%s: spans are no-ops, and what the program does is what it did', async (_how, file, program) => {
    expect(readdirSync(join(bare.folder, 'node_modules', '@opentelemetry'))).toEqual(['api']);
    write(bare, file, program);
    const environment = { TRACEPARENT: 'nonsense', OTEL_TRACES_SAMPLER: 'nonsense' };
    expect(await run(bare, file, environment)).toEqual({ code: 0, stdout: expected, stderr: '' });
  });

  it('passes on the context of a parent that is there', async () => {
    const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    write(
      bare,
      'parent.mjs',
      `import { extractFromEnv, injectToEnv, withSpan } from 'ml-metrics-bridge/tracing';
       console.log(injectToEnv({}, extractFromEnv(process.env)).TRACEPARENT);`,
    );
    expect(await run(bare, 'parent.mjs', { TRACEPARENT: parent })).toMatchObject({ stdout: `${parent}\n` });
  });

  it('tracing/node says which package it lacks', async () => {
    write(bare, 'node.mjs', `import 'ml-metrics-bridge/tracing/node';`);
    const { code, stderr } = await run(bare, 'node.mjs');
    expect(code).toBe(1);
    expect(stderr).toMatch(/Cannot find package '@opentelemetry\//);
  });
});

describe('with the SDK', () => {
  it.each([
    [
      'import',
      'main.mjs',
      `import { configureTracing } from 'ml-metrics-bridge/tracing/node';
       import { withOperation } from 'ml-metrics-bridge/tracing';`,
    ],
    [
      'require',
      'main.cjs',
      `const { configureTracing } = require('ml-metrics-bridge/tracing/node');
       const { withOperation } = require('ml-metrics-bridge/tracing');`,
    ],
  ])('%s: spans arrive, and the process ends by itself', async (_how, file, imports) => {
    const receiver = await startTraceReceiver();
    write(
      withSdk,
      file,
      `${imports}
       const { writeFileSync } = process.getBuiltinModule('node:fs');
       let begin;
       process.on('exit', () => writeFileSync('shutdown-ms', String(performance.now() - begin)));
       const tracing = configureTracing({ serviceName: 'submitter' });
       withOperation('trainer.submit_job', { jobName: 'j' }, async () => undefined)
         .then(() => { begin = performance.now(); return tracing.shutdown(); }).then(({ status }) => console.log(status));`,
    );
    expect(await run(withSdk, file, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint })).toEqual({
      code: 0,
      stdout: 'ok\n',
      stderr: '',
    });
    // Less than the 5 s that shutdown would have waited.
    expect(Number(readFileSync(join(withSdk.folder, 'shutdown-ms'), 'utf8'))).toBeLessThan(4500);
    expect(receiver.spans).toMatchObject([
      {
        name: 'trainer.submit_job',
        attributes: { 'kubeflow.job.name': 'j' },
        resource: { 'service.name': 'submitter' },
      },
    ]);
  });

  it.each(['main.mts', 'main.cts'])('types hold in a strict project, %s', (file) => {
    write(
      withSdk,
      file,
      `import { traced, withSpan, injectToEnv, withOperation, type EnvVar } from 'ml-metrics-bridge/tracing';
       import { configureTracing, type Tracing } from 'ml-metrics-bridge/tracing/node';
       export const tracing: Tracing = configureTracing({ serviceName: 'a' });
       export const promised: Promise<number> = withSpan('a', {}, async () => 1);
       export const list: EnvVar[] = injectToEnv([{ name: 'a', value: 'b' }]);
       export class Client { @traced('x') submit(job: string): number { return job.length; } }
       // @ts-expect-error an attribute of another operation
       withOperation('inference.predict', { algorithm: 'tpe' }, () => 1);
       // @ts-expect-error a number is no string
       export const wrong: string = withSpan('a', {}, () => 1);`,
    );
    // skipLibCheck is off: the declarations of the package are checked along.
    expect(typecheck(withSdk, [file])).toBe('');
  });
});

describe('the documentation', () => {
  const document = readFileSync(join(repository, 'docs', 'tracing-library.md'), 'utf8');
  const snippets = [...document.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);

  it('compiles, every snippet of it', () => {
    const files = snippets.map((code, index) => {
      write(withSdk, `snippet-${index}.mts`, code.includes('export') ? code : `${code}\nexport {};\n`);
      return `snippet-${index}.mts`;
    });
    expect(files.length).toBeGreaterThan(5);
    expect(typecheck(withSdk, files, { types: ['node'], skipLibCheck: true })).toBe('');
  });

  it('runs, where nothing in it is only declared', async () => {
    const programs = snippets.filter((code) => !/\bdeclare\b|SIGTERM|spawn/.test(code));
    expect(programs.length).toBeGreaterThan(2);
    for (const [index, code] of programs.entries()) {
      write(withSdk, `program-${index}.mjs`, compiled(code));
      expect(await run(withSdk, `program-${index}.mjs`), code).toEqual({ code: 0, stdout: '', stderr: '' });
    }
  });
});
