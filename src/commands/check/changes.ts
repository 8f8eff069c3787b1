import type { Report } from './report.ts';

/**
 * What changed from one report to the next: `epoch 3 → 4`. The timestamp of the file is left out. A file that cannot be
 * used has no values to compare; those of the next one that can are compared with `lastUsable`.
 */
export function changesBetween(before: Report, after: Report, lastUsable: Report): readonly string[] {
  if (after.status === 'unusable') return problemsBetween(before, after);
  const [old, present] = [valuesOf(lastUsable), valuesOf(after)];
  const gone = [...old.keys()].filter((field) => !present.has(field)).map((field) => `${field} removed`);
  const changed = [...present].flatMap(([field, value]) => {
    const was = old.get(field);
    if (was === undefined) return [`${field} added: ${shorten(value)}`];
    return was === value ? [] : [`${field} ${changeText(was, value, maxWidth)}`];
  });
  return [...problemsBetween(before, after), ...changed, ...gone];
}

function valuesOf({ fields }: Report): ReadonlyMap<string, string> {
  const shown = fields.filter(({ section, field }) => section !== 'top level' || field !== 'timestamp');
  return new Map(
    shown.map(({ section, field, written }) => [
      section === 'training_metrics' ? field : `${section === 'top level' ? '' : `${section}.`}${field}`,
      written,
    ]),
  );
}

const maxWidth = 24;
const shorten = (text: string) => (text.length > maxWidth ? `${text.slice(0, maxWidth - 1)}…` : text);

/**
 * `1.2345 → 1.1`. If that is wider than `width`, numbers are rounded to four digits, or to as many as make them differ;
 * if that is still too wide, only the new value is shown.
 */
export function changeText(before: string, after: string, width: number): string {
  const unchanged = `${before} → ${after}`;
  if (unchanged.length <= width) return unchanged;
  for (let digits = 4; digits <= 17; digits++) {
    const [from, to] = [rounded(before, digits), rounded(after, digits)];
    if (from === to) continue;
    const text = `${shorten(from)} → ${shorten(to)}`;
    return text.length <= width ? text : `→ ${to}`;
  }
  return `→ ${after}`;
}

function rounded(text: string, digits: number): string {
  const value = /^-?\d/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value) || Number.isInteger(value)) return text;
  const size = Math.abs(value);
  const number = Number(value.toPrecision(digits));
  return size < 1e-4 ? number.toExponential() : String(number);
}

function problemsBetween(before: Report, after: Report): readonly string[] {
  if (before.status === 'unusable' && after.status === 'usable') return ['usable'];
  const old = new Set(before.problems.map(({ message }) => message));
  return after.problems
    .filter(({ message }) => !old.has(message))
    .map(({ message, at }) => {
      const place = at === undefined ? '' : `line ${at.line}, column ${at.column}: `;
      return `not usable: ${place}${message}`;
    });
}
