import type { SkipReason } from '../catalogue/outcomes.ts';

/** Functions that read single JSON values. None of them throws. */

export type NumberReading =
  | { readonly status: 'number'; readonly value: number; readonly converted: boolean }
  | { readonly status: 'non_finite'; readonly value: number }
  | { readonly status: 'skipped'; readonly reason: SkipReason };

export type FieldReading<T> =
  | { readonly status: 'ok'; readonly value: T }
  | { readonly status: 'absent' }
  | { readonly status: 'skipped'; readonly reason: SkipReason };

const skipped = (reason: SkipReason) => ({ status: 'skipped', reason }) as const;

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const nonFiniteWords: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
};

/** Reads a number, or text that is a number. The parser turns NaN without quotes into text. */
export function readNumber(value: unknown): NumberReading {
  if (value === null) return skipped('null');
  if (typeof value === 'number') return finiteOrNot(value, false);
  if (typeof value !== 'string' || value.length > 400) return skipped('wrong_type');
  const text = value.trim();
  if (decimal.test(text)) return finiteOrNot(Number(text), true);
  const word = text.toLowerCase().replace(/^[+-]/, '');
  const nonFinite = Object.hasOwn(nonFiniteWords, word) ? nonFiniteWords[word] : undefined;
  if (nonFinite === undefined) return skipped('wrong_type');
  return { status: 'non_finite', value: text.startsWith('-') ? -nonFinite : nonFinite };
}

/** A JSON number such as 1e400 is too large for a double and becomes Infinity. */
function finiteOrNot(value: number, converted: boolean): NumberReading {
  return Number.isFinite(value) ? { status: 'number', value, converted } : { status: 'non_finite', value };
}

export const maxTextLength = 256;

/**
 * Reads text that becomes a label: at most 256 UTF-16 units. Control characters and lone surrogates are replaced, so that
 * the text is safe in OTLP, a terminal and a log. A number becomes its text.
 */
export function readText(value: unknown): FieldReading<string> {
  if (value === undefined) return { status: 'absent' };
  if (value === null) return skipped('null');
  if (typeof value === 'number') return { status: 'ok', value: String(value) };
  if (typeof value !== 'string') return skipped('wrong_type');
  if (value.length > maxTextLength) return skipped('too_long');
  if (value.trim() === '') return { status: 'absent' };
  return { status: 'ok', value: value.replace(/\p{Cc}/gu, '\uFFFD').toWellFormed() };
}

const iso8601 =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?) ?(Z|[+-]\d\d:?(?:\d\d)?)?)?$/i;

/** Unix milliseconds from ISO 8601 (without a zone it is UTC) or from a number of seconds since 1970. */
export function readTime(value: unknown): FieldReading<number> {
  if (value === undefined) return { status: 'absent' };
  if (value === null) return skipped('null');
  if (typeof value === 'number') return timeInRange(value * 1000);
  if (typeof value !== 'string') return skipped('wrong_type');
  const [matched, date, time = '00:00', zone = 'Z'] = iso8601.exec(value.trim()) ?? [];
  if (matched === undefined) return skipped('not_a_time');
  const offset = zone.length === 3 ? `${zone}:00` : zone;
  return timeInRange(Date.parse(`${date}T${time.replace(',', '.')}${offset.toUpperCase()}`));
}

/**
 * The same in whole milliseconds, so that one instant is one number, however it is written: text has no more digits
 * than that here, and a number of seconds has microseconds and the rounding of a double.
 */
export function readInstant(value: unknown): FieldReading<number> {
  const reading = readTime(value);
  return reading.status === 'ok'
    ? { status: 'ok', value: Math.floor(Math.round(reading.value * 1000) / 1000) }
    : reading;
}

/** In Unix milliseconds. OTLP has 64 bits for nanoseconds since 1970, which end in July 2554. A later time would wrap into the past. */
export const lastTimeMs = Math.floor(2 ** 64 / 1e6) - 1;

function timeInRange(unixMs: number): FieldReading<number> {
  return unixMs >= 0 && unixMs <= lastTimeMs ? { status: 'ok', value: unixMs } : skipped('not_a_time');
}

const longestAheadMs = 86_400_000;

/** Whether a time of a file is more than a day ahead of the bridge's clock: then it does not come from a clock that was set. */
export const isFarAhead = (unixMs: number, nowMs: number): boolean => unixMs - nowMs > longestAheadMs;
