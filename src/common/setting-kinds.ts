import type { ParseResult } from './setting.ts';

const ok = <T>(value: T): ParseResult<T> => ({ status: 'ok', value });
const invalid = (expected: string): ParseResult<never> => ({ status: 'invalid', expected });

export const textSetting = (value: string): ParseResult<string> => ok(value);

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A finite number between two bounds, both inclusive. */
export function number(
  minimum: number,
  maximum: number,
  noun = 'a number',
): (value: string) => ParseResult<number> {
  return (value) => {
    const parsed = decimal.test(value) ? Number(value) : Number.NaN;
    return parsed >= minimum && parsed <= maximum
      ? ok(parsed)
      : invalid(`${noun} from ${minimum} to ${maximum}`);
  };
}

export function integer(minimum: number, maximum: number): (value: string) => ParseResult<number> {
  const inRange = number(minimum, maximum, 'a whole number');
  return (value) =>
    /^[+-]?\d+$/.test(value) ? inRange(value) : invalid(`a whole number from ${minimum} to ${maximum}`);
}

const byteUnits: Readonly<Record<string, number>> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

/** A number of bytes, or of Ki, Mi or Gi as Kubernetes writes them. */
export function bytes(minimum: string, maximum: string): (value: string) => ParseResult<number> {
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

/** A number of seconds, fractions allowed. The value is in milliseconds. */
export function seconds(minimum: number, maximum = longestSeconds): (value: string) => ParseResult<number> {
  const inRange = number(minimum, maximum, 'a number of seconds');
  return (value) => {
    const parsed = inRange(value);
    return parsed.status === 'ok'
      ? ok(parsed.value * 1000)
      : invalid(parsed.expected + suggestNumber(value, inRange, 1000));
  };
}

/** Whole milliseconds, the unit of the OpenTelemetry variables. */
export function milliseconds(minimum: number): (value: string) => ParseResult<number> {
  const maximum = longestSeconds * 1000;
  const inRange = integer(minimum, maximum);
  return (value) => {
    const parsed = inRange(value);
    return parsed.status === 'ok'
      ? parsed
      : invalid(`whole milliseconds from ${minimum} to ${maximum}${suggestNumber(value, inRange, 1)}`);
  };
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** What to write instead of a duration with a unit, such as `10s`; empty if that number is not accepted either. */
function suggestNumber(
  value: string,
  parse: (value: string) => ParseResult<number>,
  targetMs: number,
): string {
  const [, count, unit] = /^([\d.]+)\s*(ms|s|m|h)(?:ec(?:onds?)?|in(?:utes?)?|ours?)?$/i.exec(value) ?? [];
  const ms = Number(count) * (unitMs[unit?.toLowerCase() ?? ''] ?? Number.NaN);
  const suggestion = String(Number((ms / targetMs).toPrecision(15)));
  return parse(suggestion).status === 'ok' ? `; write ${suggestion}` : '';
}

/** For a number above the maximum, uses the maximum and gives a warning. */
export const cappedAt =
  (maximum: number, reason: string, parse: (value: string) => ParseResult<number>) =>
  (value: string, variable: string): ParseResult<number> => {
    const parsed = parse(value);
    if (parsed.status === 'invalid' || parsed.value <= maximum) return parsed;
    const warning = `${variable} is ${JSON.stringify(value)}, more than the maximum; ${maximum} is used: ${reason}`;
    return { status: 'ok', value: maximum, warning };
  };

/** One of a few words, in any case; `aliases` maps other spellings to them. */
export function oneOf<const T extends string>(
  words: readonly T[],
  aliases: Readonly<Record<string, T>> = {},
): (value: string) => ParseResult<T> {
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

export const boolean = (value: string): ParseResult<boolean> => {
  const parsed = oneOf(['true', 'false'])(value);
  return parsed.status === 'ok' ? ok(parsed.value === 'true') : parsed;
};

/** `key=value,key=value` with percent-encoded values, as OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS are written. */
export function keyValuePairs(
  keyPattern: RegExp,
  keyNoun: string,
  valuePattern = /^/,
): (value: string) => ParseResult<Readonly<Record<string, string>>> {
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
