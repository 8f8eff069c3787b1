/**
 * Environment variables as a table: how each is read, its default and what it means. Validation, `--help` and the
 * README's table come from the same rows.
 */

export type ParseResult<T> =
  | { readonly status: 'ok'; readonly value: T }
  | { readonly status: 'invalid'; readonly expected: string };

export interface Setting<T> {
  /** Name of the variable. */
  readonly variable: string;
  /** Less specific names that are read where the first is not set, in order. */
  readonly fallbacks: readonly string[];
  readonly parse: (text: string) => ParseResult<T>;
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
export interface SettingsResult<S extends Settings> {
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
  parse: (text: string) => ParseResult<T>,
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
 * Reads every variable of a table and collects every problem, so that a person can fix them at once. An empty
 * variable counts as not set, as the OpenTelemetry specification has it.
 */
export function readSettings<S extends Settings>(settings: S, environment: Environment): SettingsResult<S> {
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
