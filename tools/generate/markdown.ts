/** A GitHub-flavoured Markdown table. Cells are Markdown already: pass text through `prose` or `code` first. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), `|${' --- |'.repeat(header.length)}`, ...rows.map(line)].join('\n');
}

/** Plain text as a table cell. An underscore inside a word has no meaning in Markdown and is not escaped. */
export function prose(text: string): string {
  return text
    .replaceAll(/[\\`*|[\]]/g, '\\$&')
    .replaceAll(/(?<!\w)_|_(?!\w)/g, '\\_')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Text as code in a table cell; a dash if it is empty. A pipe would end the cell even inside code, so it is escaped. */
export function code(text: string): string {
  if (text === '') return '–';
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 ? ' ' : '';
  return `${fence}${pad}${text.replaceAll('|', '\\|')}${pad}${fence}`;
}

export const codes = (texts: readonly string[], separator = ', '): string =>
  texts.length === 0 ? '–' : texts.map(code).join(separator);
