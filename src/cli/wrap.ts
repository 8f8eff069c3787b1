/** Breaks text between words. Only a line of one long word is longer than `columns`. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((it) => it !== '')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** Wraps text and indents each line. */
export function wrapIndented(text: string, indent: number, columns: number): readonly string[] {
  return wrap(text, columns - indent).map((line) => `${' '.repeat(indent)}${line}`);
}

/** Rows of a name and its description, with the descriptions wrapped in a second column. */
export function twoColumns(
  rows: readonly (readonly [name: string, description: string])[],
  columns: number,
): readonly string[] {
  const widest = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows.flatMap(([name, description]) => {
    const [first = '', ...others] = wrap(description, columns - widest);
    const pad = ' '.repeat(widest);
    return [`  ${name}`.padEnd(widest) + first, ...others.map((line) => pad + line)];
  });
}
