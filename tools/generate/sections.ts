/** The text between the markers of a document, by the name of the markers. */
export type Sections = Readonly<Record<string, string>>;

/** Replaces the text between the markers, and nothing else. Throws if a marker is missing or repeated. */
export function replaceSections(document: string, sections: Sections): string {
  return Object.entries(sections).reduce(
    (text, [name, content]) => replaceSection(text, name, content),
    document,
  );
}

function replaceSection(document: string, name: string, content: string): string {
  const [begin, end] = markers(name);
  const [before, rest, ...more] = document.split(begin);
  const [, after, ...evenMore] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined || more.length + evenMore.length > 0)
    throw new Error(`expected exactly one "${begin}" with one "${end}" after it`);
  return `${before}${section(name, content)}${after}`;
}

/** A new document with empty generated sections. */
export function newDocument(title: string, sections: Sections): string {
  const parts = Object.entries(sections).map(([name, content]) => section(name, content));
  return `${[`# ${title}`, ...parts].join('\n\n')}\n`;
}

function section(name: string, content: string): string {
  const [begin, end] = markers(name);
  return `${begin}\n\n${content}\n\n${end}`;
}

function markers(name: string): readonly [string, string] {
  return [`<!-- BEGIN GENERATED ${name} -->`, `<!-- END GENERATED ${name} -->`];
}
