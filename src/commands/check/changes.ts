import type { Report } from './report.ts';

/** What became different from one look to the next: `epoch 3 → 4`. Times of the file itself are no news. */
export function changesBetween(before: Report, after: Report): readonly string[] {
  const [old, present] = [valuesOf(before), valuesOf(after)];
  const gone = [...old.keys()].filter((field) => !present.has(field)).map((field) => `${field} is gone`);
  const changed = [...present].flatMap(([field, value]) => {
    const was = old.get(field);
    if (was === undefined) return [`${field} ${value} is new`];
    return was === value ? [] : [`${field} ${was} → ${value}`];
  });
  return [...problemsBetween(before, after), ...changed, ...gone];
}

function valuesOf({ fields }: Report): ReadonlyMap<string, string> {
  const shown = fields.filter(({ section, field }) => section !== 'top level' || field !== 'timestamp');
  return new Map(
    shown.map(({ section, field, written }) => [
      section === 'training_metrics' ? field : `${section === 'top level' ? '' : `${section}.`}${field}`,
      shorten(written),
    ]),
  );
}

const shorten = (text: string) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);

function problemsBetween(before: Report, after: Report): readonly string[] {
  if (before.status === 'unusable' && after.status === 'usable') return ['usable again'];
  const old = new Set(before.problems.map(({ message }) => message));
  return after.problems
    .filter(({ message }) => !old.has(message))
    .map(({ message, at }) => {
      const place = at === undefined ? '' : `line ${at.line}, column ${at.column}: `;
      return `not usable: ${place}${message}`;
    });
}
