import { elapsedColumns, timeColumns } from '../../../catalogue/log-presets.ts';
import { readNumber, readTime } from '../../values.ts';
import type { LogRecord } from './decoder.ts';

type Times = Pick<LogRecord, 'time' | 'elapsed'>;

/** The times that the fields of a record give. */
export function recordTimes(fields: LogRecord['fields']): Times {
  const time = firstOf(timeColumns, (name) => timeOf(fields[name]));
  const elapsed = firstOf(elapsedColumns(fields), (name) => durationSeconds(fields[name]));
  return { ...(time === undefined ? {} : { time }), ...(elapsed === undefined ? {} : { elapsed }) };
}

function firstOf<T>(names: readonly string[], read: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const value = read(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Numbers before the year 2001 are seconds since the start, steps or the like. */
const earliestTimeMs = 1e12;

/** Unix milliseconds from a time of the log; undefined if it is none, or one that OTLP cannot express. */
export function timeOf(value: unknown): number | undefined {
  const reading = readTime(value);
  return reading.status === 'ok' && reading.value >= earliestTimeMs ? reading.value : undefined;
}

/** `0:01:03` and `1 day, 1:00:00` are Python's `str(timedelta)`; `1d 2h 3m 4s` is ms-swift's. */
const clock = /^(?:(\d+) days?, )?(\d+):(\d\d):(\d\d(?:\.\d+)?)$/;
const units = /^(?=\d)(?:(\d+)d ?)?(?:(\d+)h ?)?(?:(\d+)m ?)?(?:(\d+(?:\.\d+)?)s)?$/;

/** Seconds from a number of seconds, or from text of a duration. Undefined for anything else. */
export function durationSeconds(value: unknown): number | undefined {
  const reading = readNumber(value);
  if (reading.status === 'number') return reading.value >= 0 ? reading.value : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  const match = clock.exec(text) ?? units.exec(text);
  if (match === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  const total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
  return Number.isFinite(total) ? total : undefined;
}
