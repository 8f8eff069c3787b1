import { type Json, readJson } from './read-json.ts';

/**
 * What may be exported of a file, from nothing but its bytes. The list of fields and metrics is written down a second
 * time on purpose: taken from the bridge's catalogue, it would be wrong wherever that is.
 */
const metrics: Readonly<
  Record<string, { readonly name: string; readonly max?: number; readonly signed?: true }>
> = {
  training_loss: { name: 'ml.training.loss', signed: true },
  validation_loss: { name: 'ml.validation.loss', signed: true },
  accuracy: { name: 'ml.training.accuracy', max: 1 },
  learning_rate: { name: 'ml.training.learning_rate' },
  gpu_utilization: { name: 'ml.training.gpu_utilization', max: 1 },
  total_epochs: { name: 'ml.training.total_epochs' },
  batches_per_epoch: { name: 'ml.training.batches_per_epoch' },
  total_steps: { name: 'ml.training.total_steps' },
  tokens_per_second: { name: 'ml.training.tokens_per_second' },
  mfu: { name: 'ml.training.mfu' },
  epoch: { name: 'ml.training.epoch', max: 1e12 },
  batch_number: { name: 'ml.training.batch_number', max: 1e12 },
  global_step: { name: 'ml.training.batch_number', max: 1e12 },
  processing_time_ms: { name: 'ml.training.processing_time', max: 1e15 },
  samples_per_second: { name: 'ml.training.samples_per_second', max: 1e15 },
};

const otherNames: Readonly<Record<string, string>> = {
  loss: 'training_loss',
  trainloss: 'training_loss',
  valloss: 'validation_loss',
  validloss: 'validation_loss',
  evalloss: 'validation_loss',
  acc: 'accuracy',
  trainacc: 'accuracy',
  trainaccuracy: 'accuracy',
  trainingaccuracy: 'accuracy',
  lr: 'learning_rate',
  gpuutil: 'gpu_utilization',
  batch: 'batch_number',
  batchidx: 'batch_number',
  maxepochs: 'total_epochs',
  numepochs: 'total_epochs',
  numtrainepochs: 'total_epochs',
  maxsteps: 'total_steps',
};

const counted = new Set(['epoch', 'batch_number', 'global_step']);
const measured = new Set(['processing_time_ms', 'samples_per_second']);

/** The reading of one field: a number, one of the values that are none, or nothing that can be exported. */
export type Meaning = number | undefined;

export interface FileFacts {
  /** Gauge → the values one of which it has to have; NaN and infinities are values of a gauge. */
  readonly gauges: ReadonlyMap<string, readonly number[]>;
  /** The gauges of the bridge's own catalogue: these have to be exported. */
  readonly required: ReadonlySet<string>;
  readonly epoch: Meaning;
  readonly batch: Meaning;
  readonly step: Meaning;
  /** Shares of the run that may be computed of it, from 0 to 1. */
  readonly progress: readonly number[];
  readonly measurements: ReadonlyMap<string, number>;
  /** Label → the text it may have. */
  readonly labels: ReadonlyMap<string, string>;
  /** Names of fields with a value that is not finite, in lower case. */
  readonly nonFinite: ReadonlySet<string>;
}

/** Undefined where the bytes are no JSON object, of which nothing may be exported. */
export function factsOf(bytes: Uint8Array): FileFacts | undefined {
  const document = readJson(bytes);
  if (document?.kind !== 'object') return undefined;
  const values = new Map(
    [...membersOf(document, 'training_metrics')].map(([field, json]) => [field, meaningOf(json)]),
  );
  fillFromOtherNames(values);
  const gauges = new Map<string, number[]>();
  const required = new Set<string>();
  const measurements = new Map<string, number>();
  const nonFinite = new Set<string>();
  for (const [field, value] of values) {
    if (value === undefined) continue;
    const metric = Object.hasOwn(metrics, field) ? metrics[field] : undefined;
    if (!Number.isFinite(value)) nonFinite.add(field.toLowerCase());
    if (metric === undefined) {
      const name = `ml.training.${field.toLowerCase()}`;
      gauges.set(name, [...(gauges.get(name) ?? []), value]);
    } else if (Number.isFinite(value) && !isInRange(value, metric)) continue;
    else if (measured.has(field)) {
      if (Number.isFinite(value)) measurements.set(metric.name, value);
    } else if (!counted.has(field)) {
      gauges.set(metric.name, [value]);
      required.add(metric.name);
    }
  }
  const count = (field: string): Meaning => {
    const value = values.get(field);
    return value !== undefined && value >= 0 && value <= 1e12 ? value : undefined;
  };
  return {
    gauges,
    required,
    epoch: count('epoch'),
    batch: count('batch_number'),
    step: count('global_step'),
    progress: sharesOf((field) => (counted.has(field) ? count(field) : values.get(field))),
    measurements,
    labels: labelsOf(membersOf(document, 'job_metadata')),
    nonFinite,
  };
}

/** Of steps where they are known, else of epochs, which a run may count from 0, as it may their batches. */
function sharesOf(read: (field: string) => Meaning): readonly number[] {
  const share = (done: number, total: number) => Math.min(Math.max(0, done), total) / total;
  const [step, steps] = [read('global_step'), read('total_steps')];
  if (isUsable(step) && isUsable(steps) && steps > 0) return [share(step, steps)];
  const [epoch, batch] = [read('epoch'), read('batch_number')];
  const [epochs, batches] = [read('total_epochs'), read('batches_per_epoch')];
  if (![epoch, batch, epochs, batches].every(isUsable) || !epochs || !batches) return [];
  return [0, 1].flatMap((first) =>
    [0, 1].map((more) =>
      share(Math.floor(epoch ?? 0) - first + Math.min(1, ((batch ?? 0) + more) / batches), epochs),
    ),
  );
}

const isUsable = (value: Meaning): value is number =>
  value !== undefined && Number.isFinite(value) && value >= 0;

/** A field that is not in the file has the first usable value of a name that stands for it. */
function fillFromOtherNames(values: Map<string, Meaning>): void {
  const written = [...values];
  for (const [name, value] of written) {
    const letters = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
    const field = Object.hasOwn(otherNames, letters)
      ? otherNames[letters]
      : Object.keys(metrics).find((it) => it.replaceAll('_', '') === letters);
    const metric = field === undefined ? undefined : metrics[field];
    if (field === undefined || metric === undefined || values.has(field) || value === undefined) continue;
    if (!Number.isFinite(value) || isInRange(value, metric)) values.set(field, value);
  }
}

function isInRange(
  value: number,
  { max = Number.POSITIVE_INFINITY, signed }: { max?: number; signed?: true },
): boolean {
  return (signed === true || value >= 0) && value <= max;
}

function membersOf(document: Json, name: string): ReadonlyMap<string, Json> {
  const member = document.kind === 'object' ? document.members.get(name) : undefined;
  return member?.kind === 'object' ? member.members : new Map();
}

/** People write numbers as text, too. */
function meaningOf(json: Json): Meaning {
  if (json.kind === 'number') return json.value;
  if (json.kind !== 'text' || json.value.length > 400) return undefined;
  const text = json.value.trim();
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(text) ? Number.parseFloat(text) : undefined;
}

const labelFields = { job_id: 'job.id', model_name: 'model.name', dataset: 'dataset', rank: 'rank' };

function labelsOf(job: ReadonlyMap<string, Json>): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const [field, label] of Object.entries(labelFields)) {
    const json = job.get(field);
    if (json?.kind === 'number') labels.set(label, label === 'rank' ? String(json.value) : identifier(json));
    // What no terminal and no OTLP can take is replaced, one for one.
    if (json?.kind === 'text')
      labels.set(label, label === 'rank' ? String(meaningOf(json)) : legible(json.value));
  }
  return labels;
}

/** A double has no more than 15 digits of its own, so that a long number could be that of another job. */
const identifier = ({ value, digits }: { readonly value: number; readonly digits: string }) =>
  /^-?[0-9]{16,}$/.test(digits) ? digits : String(value);

const legible = (text: string) =>
  Array.from(text, (character) =>
    /^[\u0000-\u001f\u007f-\u009f\ud800-\udfff]$/.test(character) ? '\ufffd' : character,
  ).join('');
