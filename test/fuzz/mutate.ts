import type { Random } from '../../src/common/jitter.ts';

/** What stands in a document: JSON's values, and text that is written as it is, because JSON cannot say NaN or 1e400. */
type Value = Raw | string | number | boolean | null | Value[] | Members;
/** Pairs and not an object, because a name may be there twice, or be `__proto__`. */
class Members {
  pairs: [string, Value][];
  constructor(pairs: [string, Value][]) {
    this.pairs = pairs;
  }
}
class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const below = (random: Random, limit: number) => Math.floor(random() * limit);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;

const fields = [
  'epoch',
  'batch_number',
  'training_loss',
  'validation_loss',
  'accuracy',
  'learning_rate',
  'gpu_utilization',
  'processing_time_ms',
  'samples_per_second',
  'global_step',
  'total_epochs',
  'batches_per_epoch',
  'total_steps',
  'tokens_per_second',
  'mfu',
];
const hostileNames = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'length', ''],
  ...[
    'x_custom',
    'X_Custom',
    'x__custom',
    'epoch_total',
    'loss',
    'run_state',
    'NaN',
    'Infinity',
    'a'.repeat(65),
  ],
  ...[
    'ml.training.loss',
    'naïve',
    '\u0000',
    '\ud800',
    '💥',
    'job_id',
    'rank',
    'training_metrics',
    'job_metadata',
  ],
];
const hostileNumbers = [
  ...['0', '-0', '1', '-1', '0.1', '1e400', '-1e400', '1e308', '1.7976931348623157e308', '5e-324', '1e-400'],
  ...[
    '9007199254740993',
    '18446744073709551616',
    '1e15',
    '1000000000000001',
    '0.30000000000000004',
    '2147483648',
  ],
  ...[
    'NaN',
    'Infinity',
    '-Infinity',
    '-NaN',
    '+1',
    '01',
    '.5',
    '1.',
    '0x10',
    '1_000',
    '1e',
    'nan',
    'None',
    'True',
  ],
];
const hostileTexts = [
  ...[
    '',
    ' ',
    '1.5',
    ' 2.5\n',
    '1e400',
    '-1e400',
    'nan',
    '-inf',
    '+Infinity',
    '0x10',
    '1_0',
    '٣',
    '1,5',
    '1'.repeat(401),
  ],
  ...[
    '2025-10-23T10:15:00Z',
    '2025-13-45',
    '9999-12-31T23:59:59Z',
    '1969-12-31',
    '2025-10-23 10:15',
    'running',
  ],
  ...['completed', 'failed', 'a\u0000b', '\u001b[31m', '\ud800', '\u202e', '💥'.repeat(200), 'x'.repeat(257)],
  ...['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'training-job-001', 'training-job-002'],
];

function hostile(random: Random): Value {
  const kind = below(random, 12);
  if (kind < 3) return new Raw(pick(random, hostileNumbers));
  if (kind < 5) return pick(random, hostileTexts);
  if (kind === 5) return new Raw(String((random() - 0.5) * 10 ** (below(random, 40) - 20)));
  if (kind === 6) return below(random, 100);
  if (kind === 7) return pick(random, [null, true, false]);
  if (kind === 8) return [hostile(random)];
  if (kind === 9) return new Members([[pick(random, hostileNames), hostile(random)]]);
  if (kind === 10) return new Raw(`"\\u${below(random, 65_536).toString(16).padStart(4, '0')}"`);
  return nested(random, random() < 0.01 ? 20_000 : 50);
}

function nested(random: Random, depth: number): Raw {
  const levels = below(random, depth);
  const [open, close] = pick(random, [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const);
  return new Raw(`${open.repeat(levels)}1${close.repeat(levels)}`);
}

/** A file as a job writes it; `step` is what it is at. */
function document(random: Random, step: number): Members {
  const metrics = fields.slice(0, 9 + below(random, 5)).map((field): [string, Value] => {
    if (field === 'epoch') return [field, 1 + Math.floor(step / 3)];
    if (field === 'batch_number') return [field, 1 + (step % 3)];
    if (field === 'global_step') return [field, step + 1];
    return [field, Math.round(random() * 1e6) / 1e6];
  });
  const job: [string, Value][] = [
    ['job_id', 'training-job-001'],
    ['model_name', 'resnet-50'],
    ['dataset', 'imagenet'],
    ['start_time', '2025-10-23T10:15:00.000000+00:00'],
  ];
  return new Members([
    ['timestamp', `2025-10-23T10:30:${String(step % 60).padStart(2, '0')}Z`],
    ['job_metadata', new Members(job)],
    ['training_metrics', new Members(metrics)],
  ]);
}

/** Changes one place of the document, in place. */
function mutateStructure(random: Random, root: Members): void {
  const inside = root.pairs.map(([, value]) => value).filter((value) => value instanceof Members);
  const target = random() < 0.85 && inside.length > 0 ? pick(random, inside) : root;
  const { pairs } = target;
  const index = below(random, pairs.length);
  const chosen = pairs[index];
  switch (below(random, 8)) {
    case 0:
    case 1:
    case 2:
      if (chosen) chosen[1] = hostile(random);
      return;
    case 3:
      if (chosen) pairs.splice(index, 1);
      return;
    case 4:
      if (chosen) pairs.push([chosen[0], hostile(random)]);
      return;
    case 5:
      pairs.push([pick(random, hostileNames), hostile(random)]);
      return;
    case 6:
      pairs.push([pick(random, fields), hostile(random)]);
      return;
    case 7:
      root.pairs.push(pick(random, extraMembers(random)));
  }
}

function extraMembers(random: Random): [string, Value][] {
  const event = new Members([
    ['name', hostile(random)],
    ['time', hostile(random)],
    ['attributes', new Members([[pick(random, hostileNames), hostile(random)]])],
  ]);
  return [
    ['status', pick(random, ['running', 'completed', 'failed', 'Running'])],
    [
      'error',
      new Members([
        ['type', hostile(random)],
        ['message', hostile(random)],
      ]),
    ],
    ['events', [event, hostile(random)]],
    ['training_metrics', hostile(random)],
    ['job_metadata', hostile(random)],
    ['__proto__', new Members([['training_metrics', hostile(random)]])],
  ];
}

function write(value: Value): string {
  if (value instanceof Raw) return value.text;
  if (value instanceof Members)
    return `{${value.pairs.map(([name, member]) => `${JSON.stringify(name)}: ${write(member)}`).join(', ')}}`;
  if (Array.isArray(value)) return `[${value.map(write).join(', ')}]`;
  return JSON.stringify(value);
}

const tokens = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'NaN',
  '-Infinity',
  'null',
  '\u0000',
  '\ufeff',
  '\n',
  '1e999',
];

/** Changes bytes, wherever they stand. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  const [a, b] = [below(random, bytes.length + 1), below(random, bytes.length + 1)];
  const [from, to] = [Math.min(a, b), Math.min(Math.max(a, b), Math.min(a, b) + 40)];
  const part = bytes.subarray(from, to);
  switch (below(random, 7)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (a < flipped.length) flipped[a] = (flipped[a] as number) ^ (1 << below(random, 8));
      return flipped;
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(to)]);
    case 3:
      return Buffer.from(bytes.subarray(0, a));
    case 4:
      return Buffer.concat([bytes.subarray(0, a), Buffer.from(pick(random, tokens)), bytes.subarray(a)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, a), Buffer.of(below(random, 256)), bytes.subarray(a)]);
    default:
      return Buffer.concat([bytes.subarray(0, a), bytes.subarray(b)]);
  }
}

function encode(random: Random, bytes: Buffer): Buffer {
  const text = bytes.toString();
  switch (below(random, 4)) {
    case 0:
      return Buffer.from(`\ufeff${text}`);
    case 1:
      return Buffer.from(`\ufeff${text}`, 'utf16le');
    case 2:
      return Buffer.from(text, 'latin1');
    default:
      return Buffer.from(text, 'utf16le').swap16();
  }
}

/** The file of one step: most are documents that can be read, and a third is broken. */
export function mutatedFile(random: Random, step: number): Buffer {
  const root = document(random, step);
  for (let count = below(random, 5); count > 0; count--) mutateStructure(random, root);
  let bytes: Buffer = Buffer.from(write(root));
  if (random() < 0.2)
    for (let count = 1 + below(random, 4); count > 0; count--) bytes = mutateBytes(random, bytes);
  return random() < 0.03 ? encode(random, bytes) : bytes;
}
