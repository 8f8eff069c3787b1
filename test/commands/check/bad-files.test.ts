import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Report } from '../../../src/commands/check/report.ts';
import {
  exampleFile,
  exampleText,
  type FileOverrides,
  pythonJson,
  temporaryFolder,
} from '../../support/file.ts';
import { check } from './support.ts';

/** Everything the bridge's own tests call a bad file or a bad field, and what `check` says about it: read it as a person would. */

const wholeFiles: readonly (readonly [name: string, content: string | Uint8Array])[] = [
  ['nothing', ''],
  ['nothing but space', '  \n'],
  ['half a file', '{"training_metrics": {"epoch": 3, "tra'],
  ['half a file with NaN', '{"training_metrics": {"training_loss": NaN, "tra'],
  ['half of the example', exampleText().slice(0, 200)],
  ['no JSON', 'epoch=3'],
  ['two documents', '{"a": 1} {"b": 2}'],
  ['a brace too many', `${exampleText()}}`],
  ['an unfinished string of escapes', `{"NaN": NaN, "${'\\"'.repeat(10_000)}`],
  ['bare words glued together', '{"a": NaNNaN}'],
  ['a minus before NaN', '{"a": -NaN}'],
  ['a dict of Python', `{'training_metrics': {'epoch': 3, 'done': True}}`],
  ['True of Python', '{"training_metrics": {"done": True}}'],
  ['a comma too many', '{\n  "training_metrics": {\n    "epoch": 3,\n  }\n}\n'],
  ['no comma', '{\n  "training_metrics": {\n    "epoch": 3\n    "training_loss": 1\n  }\n}\n'],
  ['bytes that are no text', Buffer.from([0x7b, 0xff, 0x7d])],
  ['UTF-16', Buffer.from('\uFEFF{"a":1}', 'utf16le')],
  ['UTF-16 without a mark', Buffer.from('{"a":1}', 'utf16le')],
  ['a deep nest', '['.repeat(100_000)],
  ['null', 'null'],
  ['a number', '5'],
  ['a list', '[1, 2]'],
  ['text', '"x"'],
  ['an empty object', '{}'],
  ['no metric that can be one', '{"training_metrics": {"phase": "warmup", "accuracy": 67.89}}'],
  ['a flat file', '{"epoch": 3, "training_loss": 1.5}'],
  ['sections that are none', pythonJson(exampleFile({ top: { training_metrics: 5, job_metadata: null } }))],
];

const metricsFields: readonly (readonly [string, unknown])[] = [
  ...[
    null,
    'low',
    '',
    '0x10',
    true,
    [1],
    { nested: true },
    '1.5',
    ' 2e-3 ',
    '.5',
    'tensor(0.25)',
    '0,5',
    '92.3%',
  ].map((value) => ['training_loss', value] as const),
  ...['NaN', 'nan', '-inf', 'Infinity', '1e999'].map((value) => ['training_loss', value] as const),
  ['batch_number', -1],
  ['epoch', -1],
  ['epoch', 'NaN'],
  ['processing_time_ms', -0.001],
  ['processing_time_ms', 'Infinity'],
  ['samples_per_second', -5],
  ['accuracy', 67.89],
  ['accuracy', 1234],
  ['accuracy', -0.1],
  ['gpu_utilization', 92.3],
  ['learning_rate', -0.1],
  ['epoch_total', 1],
  ['batch_number_total', 1],
  ['run_state', 1],
  ['loss', 1],
  ['loss_', 1],
  ['samples_per_second_bucket', 1],
  ['processing_time_milliseconds_count', 1],
  ['processing_time', 1],
  ['last_step_time_seconds', 1],
  ['non_finite_total', 1],
  ['x-custom', 1],
  ['eval/loss', 1],
  ['top-5 acc', 1],
  ['2fast', 1],
  ['_private', 1],
  ['__proto__', 1],
  ['größe', 1],
  ['损失', 1],
  ['x'.repeat(65), 1],
  ['', 1],
  ['phase', 'warmup'],
  ['done', false],
  ['parts', [1]],
  ['eval', { loss: 1 }],
  ['training_los', 1],
  ['lr', 1],
];

const pairs: readonly Readonly<Record<string, number>>[] = [
  { x_custom: 1, X_CUSTOM: 2 },
  { x__custom: 2, x_custom: 1 },
  { x_custom_: 2, x_custom: 1 },
  { 'x-custom': 2, x_custom: 1 },
  { epoch: 1, batch_number: 0 },
  { epoch: 2, batch_number: 0 },
  { epoch: 1, batch_number: 0, global_step: 0 },
];

const jobFields: readonly (readonly [string, unknown])[] = [
  ...['yesterday', '2025-13-45T00:00:00Z', '', -5, 1e300, 'Infinity', null].map(
    (value) => ['start_time', value] as const,
  ),
  ['job_id', 4711],
  ['job_id', '\u0007x'.repeat(50_000)],
  ['job_id', 'a\u0000b\u001b[2J\uD800c'],
  ['job_id', ' '],
  ['model_name', null],
  ['dataset', ['a']],
  ['rank', -1],
  ['rank', 0.5],
  ['rank', '3'],
  ['jobId', 'a'],
  ['epoch', 3],
  ['owner', 'me'],
];

const topFields: readonly (readonly [string, unknown])[] = [
  ['timestamp', 'now'],
  ['status', 'done'],
  ['status', null],
  ['error', 5],
  ['events', {}],
  ['events', [{ name: 5 }]],
  ['training_metric', {}],
  ['training_loss', 1],
  ['job_id', 'a'],
  ['constructor', {}],
  ['version', 2],
];

it('says what is wrong with each', async () => {
  const lines = ['WHOLE FILES'];
  for (const [name, content] of wholeFiles) {
    const { report } = await check(content);
    lines.push(`${name}: ${report.status}`, ...problemsOf(report));
  }
  lines.push('', 'FIELDS OF training_metrics');
  for (const [field, value] of metricsFields) lines.push(await sayOf(field, value, 'training_metrics'));
  lines.push('', 'PAIRS');
  for (const pair of pairs) {
    const { report } = await check(exampleText({ metrics: pair }));
    lines.push(...Object.keys(pair).map((field) => describe(report, field, 'training_metrics')));
  }
  lines.push('', 'FIELDS OF job_metadata');
  for (const [field, value] of jobFields) lines.push(await sayOf(field, value, 'job_metadata'));
  lines.push('', 'FIELDS BESIDE THEM');
  for (const [field, value] of topFields) lines.push(await sayOf(field, value, 'top level'));
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../golden/check-bad-files.txt');
});

it('says what is wrong with what is no readable file', async () => {
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  const path = (name: string) => join(folder, name);
  writeFileSync(path('file'), '');
  symlinkSync(path('nowhere'), path('link'));
  mkdirSync(path('folder'));
  writeFileSync(path('huge'), '');
  truncateSync(path('huge'), 1_073_741_824);
  mkdirSync(path('closed'), { mode: 0o700 });
  writeFileSync(path('closed/current.json'), exampleText());
  writeFileSync(path('private'), exampleText(), { mode: 0o600 });
  const lines: string[] = [];
  for (const name of [
    'missing',
    'link',
    'file/current.json',
    'folder',
    'huge',
    'closed/current.json',
    'private',
  ]) {
    const { report } = await check(undefined, { file: path(name) });
    expect(report.status).toBe('unusable');
    const owner = new RegExp(`uid ${process.getuid?.()}(, gid ${process.getgid?.()})?\\b`, 'g');
    lines.push(
      name,
      ...problemsOf(report).map((it) =>
        it
          .replaceAll(folder, '/shared')
          .replaceAll(owner, (_, gid) => (gid === undefined ? 'uid U' : 'uid U, gid G')),
      ),
    );
  }
  lines.push('/dev/zero', ...problemsOf((await check(undefined, { file: '/dev/zero' })).report));
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../golden/check-no-files.txt');
});

const problemsOf = ({ problems, fields }: Report) => [
  ...problems.flatMap(({ message, at }) => [
    `  ${at === undefined ? '' : `line ${at.line}, column ${at.column}: `}${message}`,
    ...(at === undefined ? [] : [`    | ${at.text}`, `      ${' '.repeat(at.caret)}^`]),
  ]),
  ...fields
    .filter(({ verdict }) => verdict === 'refused' || verdict === 'ignored')
    .map((it) => `  ${it.field}: ${it.verdict}: ${it.advice}`),
];

async function sayOf(
  field: string,
  value: unknown,
  section: 'training_metrics' | 'job_metadata' | 'top level',
) {
  const overrides: FileOverrides = {};
  const document = exampleFile(overrides) as Record<string, unknown>;
  const place = section === 'top level' ? document : (document[section] as object);
  Object.defineProperty(place, field, { value, enumerable: true });
  const { report } = await check(pythonJson(document));
  return describe(report, field, section);
}

function describe({ fields }: Report, field: string, section: string): string {
  const found = fields.find((it) => it.field === field && it.section === section);
  if (found === undefined) return `${field}: NOT THERE`;
  const { written, verdict, advice = '', becomes, metric } = found;
  const comes = metric?.series.map(({ name }) => name).join(', ') ?? becomes;
  const shown = written.length > 30 ? `${written.slice(0, 30)}…` : written;
  const outcome = comes === undefined ? '' : ` → ${comes.slice(0, 80)}`;
  return `${field.slice(0, 40) || '""'} ${shown}: ${verdict}${outcome}${advice === '' ? '' : ` (${advice})`}`;
}
