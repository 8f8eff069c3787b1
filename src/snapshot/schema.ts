import * as z from 'zod/mini';
import {
  type FieldDefinition,
  fullDescription,
  globalStep,
  type NumericField,
  trainingMetrics,
} from '../catalogue/metrics.ts';

/**
 * The file's schema, made from the catalogue. When a file is read, each field is checked by its own schema, so that one
 * invalid field does not affect the others. `fileSchema` is for the JSON Schema that `check` prints.
 */

const numericFields: readonly Pick<
  FieldDefinition,
  'field' | 'minimum' | 'maximum' | 'description' | 'note'
>[] = [...trainingMetrics, globalStep];

function numberSchema({ minimum, maximum, ...description }: (typeof numericFields)[number]) {
  const checks = [];
  if (minimum !== undefined) checks.push(z.minimum(minimum));
  if (maximum !== undefined) checks.push(z.maximum(maximum));
  return z.number().check(...checks, z.describe(fullDescription(description)));
}

const described = <S extends z.ZodMiniType>(schema: S, description: string) =>
  schema.check(z.describe(description)) as S;

/** ISO 8601, or seconds since 1970. */
const time = z.union([z.string(), z.number()]);
const text = (description: string) => z.optional(described(z.string(), description));
/** Identifiers are text, but people also write them as numbers. */
const identifier = z.union([z.string(), z.number()]);

export const numberSchemas = Object.fromEntries(
  numericFields.map((definition) => [definition.field, numberSchema(definition)]),
) as Readonly<Record<NumericField, z.ZodMiniNumber<number>>>;

export const jobMetadataSchemas = {
  job_id: described(identifier, 'Name of the job. A restarted job keeps it'),
  model_name: described(identifier, 'Name of the model'),
  dataset: described(identifier, 'Name of the dataset'),
  start_time: described(
    time,
    'When this run began: ISO 8601 (UTC if there is no time zone), or seconds since 1970. A restarted job has a new start time',
  ),
  rank: described(z.number().check(z.minimum(0)), 'Rank of the process that writes the file'),
  job_type: described(z.string(), 'Kind of the job, such as pytorch or fine-tuning. Used only in traces'),
  traceparent: described(z.string(), 'W3C trace context of the program that submitted the job'),
  tracestate: described(z.string(), 'W3C trace state that belongs to traceparent'),
};

export const errorSchema = z.looseObject({
  type: text('Class of the error, such as ValueError'),
  message: text('Message of the error'),
});

export const eventSchema = z.looseObject({
  name: described(z.string(), 'Name of the event, such as model_checkpoint_saved'),
  time: z.optional(
    described(time, 'When it happened: ISO 8601 (UTC if there is no time zone), or seconds since 1970'),
  ),
  attributes: z.optional(
    described(
      z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      'Details of the event: text, numbers or booleans',
    ),
  ),
});

export const runStatus = z.enum(['running', 'completed', 'failed']);

export const topLevelSchemas = {
  timestamp: described(
    time,
    'When the file was written: ISO 8601 (UTC if there is no time zone), or seconds since 1970',
  ),
  status: described(
    runStatus,
    'State of the run. Without this field, a run ends when start_time changes or when the bridge is stopped',
  ),
  error: described(errorSchema, 'The error that made the run fail'),
  events: described(
    z.array(eventSchema),
    'Events of the run, oldest first. Append new ones; the last 100 are read',
  ),
};

export const fileSchema = z.looseObject({
  ...optional(topLevelSchemas),
  job_metadata: z.optional(
    described(
      z.looseObject(optional(jobMetadataSchemas)),
      'Identifies the run. job_id, model_name and dataset become labels',
    ),
  ),
  training_metrics: z.optional(
    described(
      z.looseObject(optional(numberSchemas)),
      'Measurements. Any other field with a number becomes the gauge ml.training.<field>. Its name starts with a letter, consists of a to z, 0 to 9 and _, and has at most 64 characters',
    ),
  ),
});

function optional<T extends Readonly<Record<string, z.ZodMiniType>>>(shape: T) {
  const entries = Object.entries(shape).map(([key, schema]) => [key, z.optional(schema)]);
  return Object.fromEntries(entries) as { [K in keyof T]: z.ZodMiniOptional<T[K]> };
}
