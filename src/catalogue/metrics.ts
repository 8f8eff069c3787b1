/**
 * Every metric the bridge exports, as data. The schema of the file, the instruments, the documentation's tables and the
 * Prometheus names come from these tables. A gauge of a field needs only its row here. Any other row needs a function
 * that reads its value, or it does not compile: in telemetry/run-values.ts or telemetry/internal-metrics.ts.
 *
 * Names and units follow the OpenTelemetry naming rules. Ratios carry no unit, because unit `1` would append `_ratio`
 * to the Prometheus name; `{sample/s}` keeps the slash inside the annotation, because outside it would be translated
 * to `_per_second` and double the suffix.
 */

export type InstrumentKind = 'gauge' | 'counter' | 'histogram';

export interface MetricDefinition {
  /** OpenTelemetry instrument name. */
  readonly name: string;
  readonly instrument: InstrumentKind;
  /** UCUM unit or annotation; empty for none. */
  readonly unit: string;
  /** Short, because it is sent with every export. */
  readonly description: string;
  /** Added to the description in the documentation. */
  readonly note?: string;
  /** Attribute keys in addition to those of the run. */
  readonly attributes?: readonly string[];
  /** A field of the file may have its name. The metric is then that field, and is not computed. */
  readonly yields?: true;
  /** Most exports of snapshots omit its points while they are unchanged. */
  readonly rarelyChanges?: true;
}

/** A metric read from one field of `training_metrics`. */
export interface FieldDefinition extends MetricDefinition {
  readonly field: string;
  /** Smallest and largest valid value, both inclusive; a value outside is skipped. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Upper bounds of a histogram's buckets. */
  readonly boundaries?: readonly number[];
}

/** A metric's description and note, as the documentation shows them. */
export const fullDescription = ({ description, note }: Pick<MetricDefinition, 'description' | 'note'>) =>
  note === undefined ? description : `${description} (${note})`;

/** Maximum of a histogram's values. Values near the largest double would make its sum infinite, and it would stay so. */
const maxMeasurement = 1e15;

/** Limit of a count: far above any job, and small enough that a sum over thousands of epochs is still exact. */
const maxCount = 1e12;

/** 1-2-5 steps from `10^from` up to and including `last`. */
function oneTwoFive(from: number, last: number): readonly number[] {
  const bounds: number[] = [];
  for (let exponent = from; ; exponent++) {
    for (const step of [1, 2, 5]) {
      // Parsed from text, because bounds become labels, and a product such as 5 * 10 ** -1 is not always exact.
      const bound = Number(`${step}e${exponent}`);
      if (bound >= last) return [...bounds, last];
      bounds.push(bound);
    }
  }
}

export const trainingMetrics = [
  {
    field: 'training_loss',
    name: 'ml.training.loss',
    instrument: 'gauge',
    unit: '',
    description: 'Latest training loss',
  },
  {
    field: 'validation_loss',
    name: 'ml.validation.loss',
    instrument: 'gauge',
    unit: '',
    description: 'Latest validation loss',
  },
  {
    field: 'accuracy',
    name: 'ml.training.accuracy',
    instrument: 'gauge',
    unit: '',
    description: 'Accuracy, 0 to 1',
    minimum: 0,
    maximum: 1,
  },
  {
    field: 'learning_rate',
    name: 'ml.training.learning_rate',
    instrument: 'gauge',
    unit: '',
    description: 'Learning rate in use',
    minimum: 0,
  },
  {
    field: 'gpu_utilization',
    name: 'ml.training.gpu_utilization',
    instrument: 'gauge',
    unit: '',
    description: 'GPU utilization, 0 to 1',
    minimum: 0,
    maximum: 1,
  },
  {
    field: 'batch_number',
    name: 'ml.training.batch_number',
    instrument: 'counter',
    unit: '{batch}',
    description: 'Batches trained in this run',
    note: 'the highest batch of each epoch, summed, or global_step where it is given; batches count from 1 unless an epoch after the first begins at 0',
    minimum: 0,
    maximum: maxCount,
  },
  {
    field: 'epoch',
    name: 'ml.training.epoch',
    instrument: 'counter',
    unit: '{epoch}',
    description: 'Epoch reached in this run',
    minimum: 0,
    maximum: maxCount,
  },
  {
    field: 'processing_time_ms',
    name: 'ml.training.processing_time',
    instrument: 'histogram',
    unit: 'ms',
    description: 'Time to train one batch',
    note: 'one measurement per snapshot',
    minimum: 0,
    maximum: maxMeasurement,
    boundaries: oneTwoFive(0, 60_000),
  },
  {
    field: 'samples_per_second',
    name: 'ml.training.samples_per_second',
    instrument: 'histogram',
    unit: '{sample/s}',
    description: 'Training throughput',
    note: 'one measurement per snapshot',
    minimum: 0,
    maximum: maxMeasurement,
    boundaries: oneTwoFive(-1, 1_000_000),
  },
  {
    field: 'total_epochs',
    name: 'ml.training.total_epochs',
    instrument: 'gauge',
    unit: '{epoch}',
    description: 'Epochs this run will train',
    minimum: 0,
    rarelyChanges: true,
  },
  {
    field: 'batches_per_epoch',
    name: 'ml.training.batches_per_epoch',
    instrument: 'gauge',
    unit: '{batch}',
    description: 'Batches in one epoch',
    minimum: 0,
    rarelyChanges: true,
  },
  {
    field: 'total_steps',
    name: 'ml.training.total_steps',
    instrument: 'gauge',
    unit: '{step}',
    description: 'Batches this run will train, over all epochs',
    minimum: 0,
    rarelyChanges: true,
  },
  {
    field: 'tokens_per_second',
    name: 'ml.training.tokens_per_second',
    instrument: 'gauge',
    unit: '{token/s}',
    description: 'Tokens trained per second, as the job reports it',
    minimum: 0,
  },
  {
    field: 'mfu',
    name: 'ml.training.mfu',
    instrument: 'gauge',
    unit: '',
    description: 'Model FLOPs utilization, as the job reports it',
    minimum: 0,
  },
] as const satisfies readonly FieldDefinition[];

export type TrainingMetric = (typeof trainingMetrics)[number];
export type TrainingField = TrainingMetric['field'];
export type TrainingFieldOf<Kind extends InstrumentKind> = Extract<
  TrainingMetric,
  { instrument: Kind }
>['field'];

/** A field that has no metric. If the file has it, `ml.training.batch_number` is its value. */
export const globalStep = {
  field: 'global_step',
  description: 'Batches trained in this run, over all epochs',
  minimum: 0,
  maximum: maxCount,
} as const;

/** Every field of `training_metrics` that is defined here; any other numeric field becomes a gauge. */
export type NumericField = TrainingField | typeof globalStep.field;

export const numericFieldNames: readonly NumericField[] = [
  ...trainingMetrics.map(({ field }) => field),
  globalStep.field,
];

const numericFields: ReadonlySet<string> = new Set(numericFieldNames);

export function isNumericField(field: string): field is NumericField {
  return numericFields.has(field);
}

export const runStates = ['waiting', 'running', 'stalled', 'completed', 'failed', 'ended'] as const;
export type RunState = (typeof runStates)[number];

/** Metrics of the run that are not fields of the file. Exported with the run's attributes. */
export const runMetrics = {
  state: {
    name: 'ml.training.run.state',
    instrument: 'gauge',
    unit: '',
    description: 'State of the run',
    note: `1 for the current state, 0 for the others: ${runStates.join(', ')}`,
    attributes: ['state'],
  },
  lastStepTime: {
    name: 'ml.training.last_step_time',
    instrument: 'gauge',
    unit: 's',
    description: 'When the step last advanced',
    note: 'Unix time',
  },
  nonFinite: {
    name: 'ml.training.non_finite',
    instrument: 'counter',
    unit: '{value}',
    description: 'Values that were NaN or infinite',
    attributes: ['field'],
    rarelyChanges: true,
  },
  progress: {
    name: 'ml.training.progress',
    instrument: 'gauge',
    unit: '',
    description: 'Share of the run that is done, 0 to 1',
    note: 'global_step / total_steps, else (epoch - 1 + batch_number / batches_per_epoch) / total_epochs, else as a log states it; absent if unknown',
    yields: true,
  },
  rankStep: {
    name: 'ml.training.rank.step',
    instrument: 'gauge',
    unit: '{step}',
    description: 'Steps trained by a rank',
    note: 'of the file itself if the job has ranks, and of the files that RANK_FILES matches',
    attributes: ['rank'],
  },
  rankStepDuration: {
    name: 'ml.training.rank.step_duration',
    instrument: 'gauge',
    unit: 's',
    description: 'Time of the last step of a rank',
    note: 'rank_compute_ms, the time before the collective operations, else processing_time_ms, in which all ranks of a synchronous job look equal',
    attributes: ['rank'],
  },
  estimatedRemaining: {
    name: 'ml.training.estimated_remaining',
    instrument: 'gauge',
    unit: 's',
    description: 'Estimated time until the run is done',
    note: 'at the pace of the last minutes; absent while it is unknown, and unless the run is running',
    yields: true,
  },
} as const satisfies Record<string, MetricDefinition>;

export type RunMetricName = keyof typeof runMetrics;

/**
 * Metrics about the bridge itself. Of the run's attributes they have only the namespace, and a new run does not reset
 * them.
 */
export const bridgeMetrics = {
  snapshots: {
    name: 'ml.bridge.snapshots',
    instrument: 'counter',
    unit: '{snapshot}',
    description: 'Polls of the file',
    attributes: ['outcome'],
  },
  fieldsSkipped: {
    name: 'ml.bridge.fields_skipped',
    instrument: 'counter',
    unit: '{field}',
    description: 'Fields of snapshots that were skipped',
    attributes: ['field', 'reason'],
  },
  fileAge: {
    name: 'ml.bridge.file.age',
    instrument: 'gauge',
    unit: 's',
    description: 'Time since the file was last written',
  },
  fileStaleAfter: {
    name: 'ml.bridge.file.stale_after',
    instrument: 'gauge',
    unit: 's',
    description: 'Age at which the file is stale',
    note: 'STALE_AFTER; of a log that is written seldom, three times the longest of its last 20 gaps, at most a day',
  },
  recordsSkipped: {
    name: 'ml.bridge.records_skipped',
    instrument: 'counter',
    unit: '{record}',
    description: 'Records of a log that could not be read',
    note: 'only of a log',
    attributes: ['reason'],
  },
  exports: {
    name: 'ml.bridge.exports',
    instrument: 'counter',
    unit: '{export}',
    description: 'Export requests',
    attributes: ['outcome'],
  },
  lastSuccessTime: {
    name: 'ml.bridge.last_success_time',
    instrument: 'gauge',
    unit: 's',
    description: 'When an export last succeeded',
    note: 'Unix time',
  },
  dropped: {
    name: 'ml.bridge.dropped',
    instrument: 'counter',
    unit: '{snapshot}',
    description: 'Snapshots never delivered',
    attributes: ['reason'],
  },
  pointsRefused: {
    name: 'ml.bridge.points_refused',
    instrument: 'counter',
    unit: '{point}',
    description: 'Data points the Collector rejected',
    note: 'in requests that it otherwise accepted',
  },
  spansRejected: {
    name: 'ml.bridge.spans_rejected',
    instrument: 'counter',
    unit: '{span}',
    description: 'Spans the Collector rejected',
    note: 'only if tracing is on',
  },
  backlog: {
    name: 'ml.bridge.backlog',
    instrument: 'gauge',
    unit: '{snapshot}',
    description: 'Snapshots waiting for the Collector',
  },
  logLinesDropped: {
    name: 'ml.bridge.log_lines_dropped',
    instrument: 'counter',
    unit: '{line}',
    description: 'Log lines dropped because nothing read the log',
  },
} as const satisfies Record<string, MetricDefinition>;

export type BridgeMetricName = keyof typeof bridgeMetrics;

/** Attributes of every metric of a run. Never epoch, batch or step, because each value would be a new series. */
export const runAttributes = {
  jobId: 'job.id',
  modelName: 'model.name',
  dataset: 'dataset',
  /** Only if the job has ranks. */
  rank: 'rank',
  /** Of the resource, if it is there: it keeps two tenants apart whose jobs have the same job_id. */
  namespace: 'k8s.namespace.name',
} as const;

/** Prefix of the gauges made from fields that are not in the catalogue. */
export const extraMetricPrefix = 'ml.training.';
