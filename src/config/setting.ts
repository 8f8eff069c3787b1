/**
 * Environment variables as a table: how each is read, its default and what it means. Validation, `--help` and the
 * README's table come from the same rows.
 */

export type Parsed<T> =
  | { readonly status: 'ok'; readonly value: T }
  | { readonly status: 'invalid'; readonly expected: string };

export interface Setting<T> {
  /** Name of the variable. */
  readonly variable: string;
  /** Less specific names that are read where the first is not set, in order. */
  readonly fallbacks: readonly string[];
  readonly parse: (text: string) => Parsed<T>;
  readonly default: T;
  /** The default as a person would write it in the variable. */
  readonly defaultText: string;
  readonly description: string;
  /** A secret's value is never printed, not even when it is wrong. */
  readonly secret: boolean;
}

export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type SettingValues<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

export interface Problem {
  readonly variable: string;
  /** What is wrong and what is expected, without the value of a secret. */
  readonly message: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What was read. Where a variable is wrong its default stands in, so that what depends on others can be checked too. */
export interface SettingsReading<S extends Settings> {
  readonly status: 'ok' | 'invalid';
  readonly values: SettingValues<S>;
  /** The variable each value came from, or `default`. */
  readonly sources: Readonly<Record<keyof S, string>>;
  readonly problems: readonly Problem[];
}

export interface SettingOptions {
  readonly fallbacks?: readonly string[];
  readonly secret?: boolean;
  readonly defaultText?: string;
}

export function setting<T>(
  variable: string,
  parse: (text: string) => Parsed<T>,
  fallback: T,
  description: string,
  options: SettingOptions = {},
): Setting<T> {
  return {
    variable,
    fallbacks: options.fallbacks ?? [],
    parse,
    default: fallback,
    defaultText: options.defaultText ?? (fallback === undefined ? '' : String(fallback)),
    description,
    secret: options.secret ?? false,
  };
}

/**
 * Reads every variable of a table and collects every problem, so that a person mends them in one go. An empty
 * variable counts as not set, as the OpenTelemetry specification has it.
 */
export function readSettings<S extends Settings>(settings: S, environment: Environment): SettingsReading<S> {
  const values: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [key, row] of Object.entries(settings)) {
    const variable = [row.variable, ...row.fallbacks].find((name) => environment[name]?.trim());
    const written = variable === undefined ? undefined : environment[variable]?.trim();
    sources[key] = variable ?? 'default';
    values[key] = row.default;
    if (variable === undefined || written === undefined) continue;
    const parsed = row.parse(written);
    if (parsed.status === 'ok') values[key] = parsed.value;
    else {
      const shown = row.secret ? 'set to something else (not shown)' : JSON.stringify(shorten(written));
      problems.push({ variable, message: `${variable} is ${shown}: expected ${parsed.expected}` });
    }
  }
  return {
    status: problems.length === 0 ? 'ok' : 'invalid',
    values: Object.freeze(values) as SettingValues<S>,
    sources: Object.freeze(sources) as Record<keyof S, string>,
    problems,
  };
}

const shorten = (written: string) => (written.length > 200 ? `${written.slice(0, 200)}…` : written);

const ok = <T>(value: T): Parsed<T> => ({ status: 'ok', value });
const invalid = (expected: string): Parsed<never> => ({ status: 'invalid', expected });

export const textSetting = (value: string): Parsed<string> => ok(value);

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A finite number between two bounds, both inclusive. */
export function number(
  minimum: number,
  maximum: number,
  noun = 'a number',
): (value: string) => Parsed<number> {
  return (value) => {
    const parsed = decimal.test(value) ? Number(value) : Number.NaN;
    return parsed >= minimum && parsed <= maximum
      ? ok(parsed)
      : invalid(`${noun} from ${minimum} to ${maximum}`);
  };
}

export function integer(minimum: number, maximum: number): (value: string) => Parsed<number> {
  const inRange = number(minimum, maximum, 'a whole number');
  return (value) =>
    /^[+-]?\d+$/.test(value) ? inRange(value) : invalid(`a whole number from ${minimum} to ${maximum}`);
}

const byteUnits: Readonly<Record<string, number>> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** A number of bytes, or of Ki, Mi or Gi as Kubernetes writes them. */
export function bytes(minimum: string, maximum: string): (value: string) => Parsed<number> {
  const [least, most] = [inBytes(minimum), inBytes(maximum)];
  return (value) => {
    const count = inBytes(value);
    return count >= least && count <= most
      ? ok(count)
      : invalid(`a number of bytes from ${minimum} to ${maximum}`);
  };
}

function inBytes(value: string): number {
  const [, count, unit = ''] = /^(\d+)(Ki|Mi|Gi)?$/.exec(value) ?? [];
  return count === undefined ? Number.NaN : Number(count) * (byteUnits[unit] ?? Number.NaN);
}

const longestSeconds = 86_400 * 24; // setTimeout holds 2^31 - 1 ms, a little over 24 days

/** Seconds as a person writes them, fractions allowed; the value is in milliseconds. */
export function seconds(minimum: number): (value: string) => Parsed<number> {
  const inRange = number(minimum, longestSeconds, 'a number of seconds');
  return (value) => {
    const parsed = inRange(value);
    return parsed.status === 'ok' ? ok(parsed.value * 1000) : parsed;
  };
}

/** Milliseconds, as the OpenTelemetry variables are written. */
export function milliseconds(minimum: number): (value: string) => Parsed<number> {
  const whole = integer(minimum, longestSeconds * 1000);
  return (value) => {
    const parsed = whole(value);
    return parsed.status === 'ok'
      ? parsed
      : invalid(`whole milliseconds from ${minimum} to ${longestSeconds * 1000}`);
  };
}

/** One of a few words, in any case; `aliases` maps other spellings to them. */
export function oneOf<const T extends string>(
  words: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): (value: string) => Parsed<T> {
  return (value) => {
    const lower = value.toLowerCase();
    const word =
      words.find((candidate) => candidate === lower) ??
      (Object.hasOwn(aliases, lower) ? aliases[lower] : undefined);
    return word === undefined
      ? invalid(`one of ${[...words, ...Object.keys(aliases)].join(', ')}`)
      : ok(word);
  };
}

export const boolean = (value: string): Parsed<boolean> => {
  const parsed = oneOf(['true', 'false'])(value);
  return parsed.status === 'ok' ? ok(parsed.value === 'true') : parsed;
};

/** `key=value,key=value` with percent-encoded values, as OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS are written. */
export function keyValuePairs(
  keyPattern: RegExp,
  keyNoun: string,
  valuePattern = /^/,
): (value: string) => Parsed<Readonly<Record<string, string>>> {
  const expected = `key=value pairs separated by commas, percent-encoded, each key ${keyNoun}`;
  return (written) => {
    const pairs: [string, string][] = [];
    for (const pair of written.split(',')) {
      if (pair.trim() === '') continue;
      const separator = pair.indexOf('=');
      const key = pair.slice(0, separator).trim();
      if (separator < 1 || !keyPattern.test(key)) return invalid(expected);
      const value = decoded(pair.slice(separator + 1).trim());
      if (value === undefined || !valuePattern.test(value)) return invalid(expected);
      pairs.push([key, value]);
    }
    return ok(Object.freeze(Object.fromEntries(pairs)));
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
