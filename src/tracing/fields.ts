import { type Attributes, type AttributeValue, diag } from '@opentelemetry/api';

interface TypeOf {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
  readonly 'string[]': readonly string[];
}

/** A table of attributes: what a program writes, the attribute it becomes and the type of its value. */
export type Fields = Readonly<Record<string, readonly [attribute: string, type: keyof TypeOf]>>;

/** A name with a dot is an attribute's full name, and is taken as it is. */
export interface FullNames {
  readonly [name: `${string}.${string}`]: AttributeValue | undefined;
}

/** What a program may write for a table: its fields by their short names, and anything else by its full name. */
export type AttributeValues<F extends Fields> = {
  readonly [K in keyof F]?: TypeOf[F[K][1]] | undefined;
} & FullNames;

/**
 * The attributes that values become. What is undefined or null is left out. A name that neither has a dot nor is in
 * the table (plain JavaScript is not stopped by types) is left out too, with a line to the API's diagnostics.
 */
export function attributesFrom<F extends Fields>(fields: F, values: AttributeValues<F>): Attributes {
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    const attribute = name.includes('.') ? name : fields[name]?.[0];
    if (attribute === undefined) diag.warn(`ml-metrics-bridge: attribute "${name}" is not known, left out`);
    else attributes[attribute] = Array.isArray(value) ? [...value] : value;
  }
  return attributes;
}
