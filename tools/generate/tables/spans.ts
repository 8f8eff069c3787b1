import { type RunSpan, runSpans, spanAttributes, spanEvents } from '../../../src/catalogue/spans.ts';
import { code, codes, markdownTable } from '../markdown.ts';

/** The spans of a run as Markdown. */
export function spansTable(): string {
  const rows = Object.values(runSpans).map(({ name, from, to, exported }) => [
    code(name),
    from,
    to,
    exported,
  ]);
  return markdownTable(['Span', 'From', 'To', 'Exported'], rows);
}

/** Their attributes, and which spans have them. */
export function spanAttributesTable(): string {
  const rows = Object.values(spanAttributes).map(({ name, description, on }) => [
    code(name),
    description,
    codes((on as readonly RunSpan[]).map((span) => runSpans[span].name)),
  ]);
  return markdownTable(['Attribute', 'What it is', 'Of'], rows);
}

/** The events that the bridge adds. */
export function spanEventsTable(): string {
  const rows = Object.values(spanEvents).map(({ name, description, attributes }) => [
    code(name),
    description,
    codes(attributes),
  ]);
  return markdownTable(['Event', 'When', 'Attributes'], rows);
}
