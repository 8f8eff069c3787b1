import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trainingMetrics } from '../../src/catalogue/metrics.ts';
import { interpret, parseMetricsFile } from '../../src/snapshot/interpret.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { exampleFile, exampleText, type FileOverrides } from '../support/file.ts';
import { snapshotOf } from '../support/snapshot.ts';

const read = (document: unknown) => snapshotOf(interpret(document));
const example = (overrides?: FileOverrides) => read(exampleFile(overrides));
const reasons = ({ skipped }: Snapshot) =>
  Object.fromEntries(skipped.map(({ field, reason }) => [field, reason]));

describe('a file as the contract has it', () => {
  it('is read whole', () => {
    expect(example()).toMatchObject({
      timestampMs: Date.UTC(2025, 9, 23, 10, 30, 45, 123),
      job: {
        jobId: 'training-job-001',
        modelName: 'resnet-50',
        dataset: 'imagenet',
        startTimeMs: Date.UTC(2025, 9, 23, 10, 15),
      },
      values: {
        epoch: 3,
        batch_number: 45,
        training_loss: 1.2345,
        validation_loss: 1.3456,
        accuracy: 0.6789,
        learning_rate: 0.000857375,
        gpu_utilization: 0.923,
        processing_time_ms: 238,
        samples_per_second: 134.45,
      },
      skipped: [],
      converted: [],
    });
  });

  it('may lack anything', () => {
    expect(read({})).toMatchObject({ values: {}, skipped: [] });
    for (const { field } of trainingMetrics) {
      const { values, skipped } = example({ metrics: { [field]: undefined } });
      expect(values).not.toHaveProperty(field);
      expect(skipped).toEqual([]);
    }
  });

  it.each([
    [
      'with microseconds and a zone',
      '2025-10-23T10:30:45.123456+02:00',
      Date.UTC(2025, 9, 23, 8, 30, 45, 123),
    ],
    ['without a zone', '2025-10-23T10:30:45', Date.UTC(2025, 9, 23, 10, 30, 45)],
    ['with a space', '2025-10-23 10:30:45.5Z', Date.UTC(2025, 9, 23, 10, 30, 45, 500)],
    ['as seconds since 1970', 1_761_215_445.5, 1_761_215_445_500],
    ['with a short zone', '2025-10-23T10:30:45+02', Date.UTC(2025, 9, 23, 8, 30, 45)],
  ])('has times %s', (_name, written, expected) => {
    expect(example({ job: { start_time: written } }).job.startTimeMs).toBe(expected);
  });

  it.each(['yesterday', '2025-13-45T00:00:00Z', '', -5, 1e300, 'Infinity'])(
    'refuses the time %j',
    (written) => {
      const snapshot = example({ job: { start_time: written } });
      expect(snapshot.job.startTimeMs).toBeUndefined();
      expect(reasons(snapshot)).toEqual({ start_time: 'not_a_time' });
    },
  );

  it('has status, error and events', () => {
    const snapshot = example({
      top: {
        status: 'failed',
        error: { type: 'ValueError', message: 'shapes differ' },
        events: [
          {
            name: 'model_checkpoint_saved',
            time: '2025-10-23T10:30:00Z',
            attributes: { path: '/ckpt/3', step: 3 },
          },
        ],
      },
    });
    expect(snapshot.status).toBe('failed');
    expect(snapshot.error).toEqual({ type: 'ValueError', message: 'shapes differ' });
    expect(snapshot.events).toEqual([
      {
        name: 'model_checkpoint_saved',
        timeMs: Date.UTC(2025, 9, 23, 10, 30),
        attributes: { path: '/ckpt/3', step: 3 },
      },
    ]);
  });

  it('has its last hundred events read', () => {
    const events = Array.from({ length: 250 }, (_, index) => ({ name: `event ${index}` }));
    expect(example({ top: { events } }).events.map(({ name }) => name)).toEqual(
      events.slice(-100).map(({ name }) => name),
    );
  });
});

it('has one start_time, whether it is text or seconds, to the microsecond', () => {
  const start = (start_time: unknown) => example({ job: { start_time } }).job.startTimeMs;
  const microseconds = fc.integer({ min: 0, max: 4_000_000_000_000_000 });
  fc.assert(
    fc.property(microseconds, (time) => {
      const text = `${new Date(Math.floor(time / 1000)).toISOString().slice(0, -1)}${String(time % 1000).padStart(3, '0')}`;
      expect(start(time / 1e6)).toBe(start(`${text}+00:00`));
    }),
    { numRuns: 2000, examples: [[1_761_214_500_123_000], [1_761_214_500_123_999], [1_761_214_500_000_001]] },
  );
});

it.each([
  ['2554-07-21T23:34:33.708Z', 18_446_744_073_708],
  ['2554-07-21T23:34:33.710Z', undefined],
  [18_446_744_073.8, undefined],
])('has no time that OTLP cannot express in nanoseconds: %s', (written, expected) => {
  expect(example({ job: { start_time: written } }).job.startTimeMs).toBe(expected);
});

describe('a field that is wrong', () => {
  it.each(trainingMetrics.map(({ field }) => field))('%s costs itself alone', (field) => {
    const snapshot = example({ metrics: { [field]: { nested: true } } });
    expect(reasons(snapshot)).toEqual({ [field]: 'wrong_type' });
    const others = Object.keys(example().values).filter((other) => other !== field);
    for (const other of others) expect(snapshot.values).toHaveProperty(other);
  });

  it.each([
    ['null', null, 'null'],
    ['text', 'low', 'wrong_type'],
    ['empty text', '', 'wrong_type'],
    ['hexadecimal text', '0x10', 'wrong_type'],
    ['true', true, 'wrong_type'],
    ['a list', [1], 'wrong_type'],
  ])('%s is skipped and never zero', (_name, value, reason) => {
    const snapshot = example({ metrics: { training_loss: value } });
    expect(snapshot.values).not.toHaveProperty('training_loss');
    expect(reasons(snapshot)).toEqual({ training_loss: reason });
  });

  it.each([
    ['batch_number', -1],
    ['epoch', -1],
    ['processing_time_ms', -0.001],
    ['samples_per_second', -5],
    ['accuracy', 67.89],
    ['gpu_utilization', 92.3],
    ['learning_rate', -0.1],
    ['processing_time_ms', 1e308],
    ['samples_per_second', 1e16],
    ['batch_number', 1e12 + 1],
    ['epoch', 1e12 + 1],
    ['global_step', 1e12 + 1],
  ])('%s of %d is out of range', (field, value) => {
    expect(reasons(example({ metrics: { [field]: value } }))).toEqual({ [field]: 'out_of_range' });
  });

  it('is not one that only looks odd: a loss may be negative', () => {
    expect(example({ metrics: { training_loss: -3.5 } }).values.training_loss).toBe(-3.5);
  });

  it.each([
    ['1.5', 1.5],
    [' 2e-3 ', 0.002],
    ['.5', 0.5],
    ['+7', 7],
  ])('is not text that is a number: %j', (written, value) => {
    const snapshot = example({ metrics: { training_loss: written } });
    expect(snapshot.values.training_loss).toBe(value);
    expect(snapshot.converted).toEqual(['training_loss']);
    expect(snapshot.skipped).toEqual([]);
  });

  it.each([
    ['NaN', Number.NaN],
    ['nan', Number.NaN],
    ['-inf', Number.NEGATIVE_INFINITY],
    ['Infinity', Number.POSITIVE_INFINITY],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['1e999', Number.POSITIVE_INFINITY],
  ])('is not one that is not finite: %j is news', (written, value) => {
    const snapshot = example({ metrics: { training_loss: written } });
    expect(snapshot.values).not.toHaveProperty('training_loss');
    expect(snapshot.nonFinite).toEqual(new Map([['training_loss', value]]));
    expect(snapshot.skipped).toEqual([]);
  });

  it('costs a whole section where the section is none', () => {
    const snapshot = example({ top: { training_metrics: 5, job_metadata: null } });
    expect(reasons(snapshot)).toEqual({ training_metrics: 'wrong_type', job_metadata: 'null' });
    expect(snapshot.values).toEqual({});
  });
});

describe('text that becomes a label', () => {
  it('may have been written as a number', () => {
    expect(example({ job: { job_id: 4711 } }).job.jobId).toBe('4711');
  });

  it('is bounded: a name of a megabyte is refused and said', () => {
    const snapshot = example({ job: { job_id: '\u0007x'.repeat(500_000) } });
    expect(snapshot.job.jobId).toBeUndefined();
    expect(reasons(snapshot)).toEqual({ job_id: 'too_long' });
  });

  it('has its control characters and lone surrogates replaced', () => {
    expect(example({ job: { job_id: 'a\u0000b\u001b[2J\uD800c' } }).job.jobId).toBe(
      'a\uFFFDb\uFFFD[2J\uFFFDc',
    );
  });
});

describe('a field under another name', () => {
  const withoutLoss = (metrics: Readonly<Record<string, unknown>>) =>
    example({
      metrics: { training_loss: undefined, learning_rate: undefined, accuracy: undefined, ...metrics },
    });

  it.each(['loss', 'train_loss', 'training-loss', 'Training Loss'])('is read from %s', (name) => {
    const { values, presets, skipped } = withoutLoss({ [name]: 1.5 });
    expect(values.training_loss).toBe(1.5);
    expect([...presets]).toEqual([['training_loss', name]]);
    expect(skipped).toEqual([]);
  });

  it('keeps the gauge of that name', () => {
    const { values, extras } = withoutLoss({ lr: 0.01, train_loss: '2' });
    expect(values).toMatchObject({ learning_rate: 0.01, training_loss: 2 });
    expect(Object.fromEntries(extras)).toEqual({ lr: 0.01, train_loss: 2 });
  });

  it('is not read where the field is there, even if its value is invalid', () => {
    const { values, presets, skipped } = withoutLoss({ training_loss: 'low', loss: 1, lr: 1 });
    expect(values).not.toHaveProperty('training_loss');
    expect([...presets.keys()]).toEqual(['learning_rate']);
    expect(skipped.map(({ field }) => field)).toEqual(['training_loss', 'loss']);
  });

  it('is not read from a value that the field does not allow', () => {
    const { values, extras } = withoutLoss({ acc: 67.8 });
    expect(values).not.toHaveProperty('accuracy');
    expect(extras.get('acc')).toBe(67.8);
  });

  it('is read from the first of several names', () => {
    expect(withoutLoss({ train_loss: 'none', loss: 1, 'training-loss': 2 }).values.training_loss).toBe(1);
  });

  it('may be NaN', () => {
    const { values, nonFinite } = withoutLoss({ loss: 'NaN' });
    expect(values).not.toHaveProperty('training_loss');
    expect(nonFinite.get('training_loss')).toBeNaN();
  });
});

describe('a field the catalogue does not know', () => {
  it('becomes an extra under its name in lower case', () => {
    const { extras } = example({ metrics: { x_custom: 1, X_Other: '2.5', step_2: 3 } });
    expect(Object.fromEntries(extras)).toEqual({ x_custom: 1, x_other: 2.5, step_2: 3 });
  });

  it.each([
    ['Validation_loss', 'name_taken'],
    ['SAMPLES_PER_SECOND', 'name_taken'],
    ['epoch_total', 'name_taken'],
    ['batch_number_total', 'name_taken'],
    ['run_state', 'name_taken'],
    ['loss', 'name_taken'],
    ['loss_', 'name_taken'],
    ['samples_per_second_bucket', 'name_taken'],
    ['processing_time_milliseconds_count', 'name_taken'],
    ['processing_time', 'name_taken'],
    ['last_step_time_seconds', 'name_taken'],
    ['non_finite_total', 'name_taken'],
    ['x-custom', 'invalid_name'],
    ['eval/loss', 'invalid_name'],
    ['2fast', 'invalid_name'],
    ['_private', 'invalid_name'],
    ['__proto__', 'invalid_name'],
    ['größe', 'invalid_name'],
    ['x'.repeat(65), 'invalid_name'],
    ['', 'invalid_name'],
  ])('%s is refused: %s', (field, reason) => {
    const document = exampleFile();
    Object.defineProperty(document.training_metrics, field, { value: 1, enumerable: true });
    const snapshot = read(document);
    expect(snapshot.extras.size).toBe(0);
    expect(snapshot.skipped).toEqual([{ section: 'training_metrics', field, known: false, reason }]);
    expect(snapshot.values).toEqual(example().values);
  });

  it.each([
    [['x_custom', 'X_CUSTOM']],
    [['X_CUSTOM', 'x_custom']],
    [['x__custom', 'x_custom']],
    [['x_custom_', 'x_custom']],
  ])('keeps its place against others of the same Prometheus name: %j', (fields) => {
    const metrics = Object.fromEntries(fields.map((field) => [field, field === 'x_custom' ? 1 : 2]));
    const snapshot = example({ metrics });
    expect(Object.fromEntries(snapshot.extras)).toEqual({ x_custom: 1 });
    expect(snapshot.skipped.map(({ reason }) => reason)).toEqual(['name_taken']);
  });

  it('is ignored and counted where it is no number', () => {
    const snapshot = example({ metrics: { phase: 'warmup', done: false, parts: [1] } });
    expect(snapshot.extras.size).toBe(0);
    expect(snapshot.skipped.map(({ reason }) => reason)).toEqual(['wrong_type', 'wrong_type', 'wrong_type']);
  });
});

it.each([
  ['top level', 'timestamp', { timestamp: 'now' }, 'not_a_time'],
  ['top level', 'error', { error: 5 }, 'wrong_type'],
  ['top level', 'events', { events: 5 }, 'wrong_type'],
  ['top level', 'job_metadata', { job_metadata: [] }, 'wrong_type'],
  ['events', 'events', { events: [{ name: 'saved' }, 5] }, 'wrong_type'],
  ['job_metadata', 'rank', { job_metadata: { rank: -1 } }, 'out_of_range'],
  ['training_metrics', 'accuracy', { training_metrics: { accuracy: 95 } }, 'out_of_range'],
])('lists what is skipped with its section: %s, %s', (section, field, document, reason) => {
  expect(read(document).skipped).toEqual([{ section, field, known: true, reason }]);
});

describe('hostile keys', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s changes nothing', (key) => {
    const text = `{"${key}": {"polluted": 1}, "job_metadata": {"${key}": {"polluted": 1}, "job_id": "a"},
      "training_metrics": {"${key}": {"polluted": 1}, "epoch": 2}}`;
    const snapshot = snapshotOf(parseMetricsFile(Buffer.from(text)));
    expect(snapshot.job.jobId).toBe('a');
    expect(snapshot.values).toEqual({ epoch: 2 });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect((snapshot.values as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('no file', () => {
  it.each([
    ['null', null, 'null'],
    ['a number', 5, 'a number'],
    ['a list', [], 'an array'],
    ['text', 'x', 'a string'],
  ])('that is %s is read', (_name, document, named) => {
    expect(interpret(document)).toEqual({
      status: 'malformed',
      reason: `a JSON object is expected, such as {"training_metrics": {"training_loss": 1.5}}, not ${named}`,
    });
  });
});

describe('whatever the document', () => {
  it('nothing throws, and no number comes out that was not in it', () => {
    const names = [
      ...trainingMetrics.map(({ field }) => field),
      'global_step',
      'own',
      'epoch_total',
      '__proto__',
    ];
    const value = fc.oneof(
      fc.double(),
      fc.string(),
      fc.integer(),
      fc.jsonValue(),
      fc.constantFrom('NaN', '7', '1e5', null),
    );
    const metrics = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value);
    const anything = fc.record({
      job_metadata: fc.jsonValue(),
      training_metrics: fc.oneof(metrics, fc.jsonValue()),
    });
    fc.assert(
      fc.property(fc.oneof(anything, fc.jsonValue()), (document) => {
        const interpretation = interpret(document);
        if (interpretation.status !== 'ok') return;
        const { values, extras } = interpretation.snapshot;
        const section = (document as { training_metrics?: Record<string, unknown> }).training_metrics ?? {};
        const written = Object.values(section).filter(
          (it) => typeof it === 'number' || typeof it === 'string',
        );
        const present = new Set(written.map(Number));
        for (const number of [...Object.values(values), ...extras.values()]) {
          expect(Number.isFinite(number)).toBe(true);
          expect(present).toContain(number);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('whatever the bytes', () => {
  it('nothing throws, and no number comes out that does not stand in them', () => {
    const text = Buffer.from(
      exampleText({ metrics: { training_loss: Number.NaN, own: '12.5', epoch_total: 4 } }),
    );
    const change = fc.record({ at: fc.nat(text.length - 1), byte: fc.nat(255), cut: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), fc.nat(text.length), (changes, length) => {
        const bytes = [...text];
        for (const { at, byte, cut } of changes) bytes.splice(at, cut, byte);
        const mutated = Buffer.from(length % 3 === 0 ? bytes.slice(0, length) : bytes);
        const interpretation = parseMetricsFile(mutated);
        if (interpretation.status !== 'ok') return;
        const written = mutated.toString().match(/[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/gi) ?? [];
        const present = new Set(written.map(Number));
        const { values, extras } = interpretation.snapshot;
        for (const number of [...Object.values(values), ...extras.values()])
          expect(present).toContain(number);
      }),
      { numRuns: 5000 },
    );
  });
});
