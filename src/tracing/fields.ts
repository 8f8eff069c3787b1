import { type Attributes, type AttributeValue, diag } from '@opentelemetry/api';

interface TypeOf {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
  readonly 'string[]': readonly string[];
}

/** A table of attributes: the short name that a program uses, the name of the attribute and the type of its value. */
export type Fields = Readonly<Record<string, readonly [attribute: string, type: keyof TypeOf]>>;

/** Other names that are in use for an attribute, and the name that is written in their place. */
export const attributeAliases: Readonly<Record<string, string>> = {
  'job.type': 'kubeflow.job_type',
  'resource.gpu_count': 'resource.gpu.count',
  'training.epochs': 'training.total_epochs',
};

/** A name with a dot is the full name of an attribute. It is used unchanged, unless it is an alias. */
export interface FullNames {
  readonly [name: `${string}.${string}`]: AttributeValue | undefined;
}

/** The values for a table: its fields by their short names, and any other attribute by its full name. */
export type AttributeValues<F extends Fields> = {
  readonly [K in keyof F]?: TypeOf[F[K][1]] | undefined;
} & FullNames;

/**
 * Converts values to attributes. Values that are undefined or null are left out. A name that has no dot and is not in
 * the table, which only untyped JavaScript can pass, is left out with a line to the API's diagnostics.
 */
export function attributesFrom<F extends Fields>(fields: F, values: AttributeValues<F>): Attributes {
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    const attribute = name.includes('.') ? (attributeAliases[name] ?? name) : fields[name]?.[0];
    if (attribute === undefined) diag.warn(`ml-metrics-bridge: attribute "${name}" is not known, left out`);
    else attributes[attribute] = Array.isArray(value) ? [...value] : value;
  }
  return attributes;
}
