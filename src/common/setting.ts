/**
 * Environment variables as a table: how each is parsed, its default and its description. Validation, `--help` and the
 * tables of the documentation come from the same rows.
 */

import { shorten } from './shorten.ts';

/** Of a value in a message. */
const maxShownLength = 200;

export type ParseResult<T> =
  | {
      readonly status: 'ok';
      readonly value: T;
      /** A note for the user about an accepted value. */
      readonly warning?: string;
    }
  | {
      readonly status: 'invalid';
      readonly expected: string;
      /** The value may be a secret that stands in the wrong variable. */
      readonly mayBeSecret?: true;
    };

export interface Setting<T> {
  /** Name of the variable. */
  readonly variable: string;
  /** Less specific variables, read in this order if the first is not set. */
  readonly fallbacks: readonly string[];
  /** Parses the text of a variable. The name of the variable is for messages. */
  readonly parse: (text: string, variable: string) => ParseResult<T>;
  readonly default: T;
  /** The default as a user would write it in the variable. */
  readonly defaultText: string;
  readonly description: string;
  /** The value of a secret is never printed, not even in the message that it is invalid. */
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

/** The values that were read. An invalid variable has its default here, so that values that depend on it can be checked too. */
export interface SettingsResult<S extends Settings> {
  readonly status: 'ok' | 'invalid';
  readonly values: SettingValues<S>;
  /** The variable each value came from, or `default`. */
  readonly sources: Readonly<Record<keyof S, string>>;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export interface SettingOptions {
  readonly fallbacks?: readonly string[];
  readonly secret?: boolean;
  readonly defaultText?: string;
}

export function setting<T>(
  variable: string,
  parse: Setting<T>['parse'],
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

/** Rows for OTLP's standard variables. As specified, the variable of one signal overrides the one of all signals. */
export const otlpSignalSetting =
  (signal: 'METRICS' | 'TRACES') =>
  <T>(
    suffix: string,
    parse: Setting<T>['parse'],
    fallback: T,
    description: string,
    options: Omit<SettingOptions, 'fallbacks'> = {},
  ) =>
    setting(`OTEL_EXPORTER_OTLP_${signal}_${suffix}`, parse, fallback, description, {
      fallbacks: [`OTEL_EXPORTER_OTLP_${suffix}`],
      ...options,
    });

/**
 * Reads every variable of a table and collects every problem, so that all of them can be fixed at once. An empty
 * variable counts as not set, as the OpenTelemetry specification requires.
 */
export function readSettings<S extends Settings>(settings: S, environment: Environment): SettingsResult<S> {
  const values: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  const problems: Problem[] = [];
  const warnings: string[] = [];
  for (const [key, row] of Object.entries(settings)) {
    const variable = [row.variable, ...row.fallbacks].find((name) => environment[name]?.trim());
    const text = variable === undefined ? undefined : environment[variable]?.trim();
    sources[key] = variable ?? 'default';
    values[key] = row.default;
    if (variable === undefined || text === undefined) continue;
    const parsed = row.parse(text, variable);
    if (parsed.status === 'ok') {
      values[key] = parsed.value;
      if (parsed.warning !== undefined) warnings.push(parsed.warning);
    } else {
      const isHidden = row.secret || parsed.mayBeSecret;
      const shown = isHidden ? 'invalid (value not shown)' : JSON.stringify(shorten(text, maxShownLength));
      problems.push({ variable, message: `${variable} is ${shown}: expected ${parsed.expected}` });
    }
  }
  return {
    status: problems.length === 0 ? 'ok' : 'invalid',
    values: Object.freeze(values) as SettingValues<S>,
    sources: Object.freeze(sources) as Record<keyof S, string>,
    problems,
    warnings,
  };
}

/**
 * Values of a table for printing. A secret record is reduced to its keys, and any other secret is hidden. So is a key
 * without a value: it may be a token whose padding was read as `=`.
 */
export function printableValues(
  settings: Settings,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const conceal = (value: unknown) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([key, text]) => (/^=*$/.test(String(text)) ? '***' : key))
      : value && '***';
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, settings[key]?.secret ? conceal(value) : value]),
  );
}
