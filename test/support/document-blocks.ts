/** Commands of a document that a test runs as they are written. */
export interface DocumentBlock {
  /** Line of the marker in the document, from 1. */
  readonly line: number;
  readonly script: string;
  /** For commands that go on until Ctrl-C: what they print once they work. */
  readonly until?: RegExp;
}

const marker = /^<!-- test: (?<name>[\w-]+)(?: until "(?<until>[^"]+)")? -->$/;

/**
 * The blocks that stand under the marker `<!-- test: NAME -->`, or `<!-- test: NAME until "PATTERN" -->`. Throws where
 * there are none, where a marker is misspelled or stands before anything but a block of `sh`, and where a command is in a
 * list of `&&` or `||`, because `bash -e` goes on when such a command fails.
 */
export function documentBlocks(document: string, name: string): readonly DocumentBlock[] {
  const lines = document.split('\n');
  const blocks = lines.flatMap((text, index) => {
    if (!text.includes('<!-- test:')) return [];
    const groups = marker.exec(text)?.groups;
    if (groups === undefined)
      throw new Error(`line ${index + 1}: expected <!-- test: NAME until "PATTERN" -->`);
    if (groups.name !== name) return [];
    const script = scriptAt(lines, index + 1);
    return [{ line: index + 1, script, ...(groups.until && { until: new RegExp(groups.until) }) }];
  });
  if (blocks.length === 0) throw new Error(`no block is marked <!-- test: ${name} -->`);
  return blocks;
}

function scriptAt(lines: readonly string[], start: number): string {
  const end = lines.indexOf('```', start);
  if (lines[start] !== '```sh' || end === -1) throw new Error(`line ${start}: expected a block of sh below`);
  const script = lines.slice(start + 1, end).join('\n');
  if (/&&|\|\|/.test(script)) throw new Error(`line ${start}: write each command on a line of its own`);
  return script;
}

/** The YAML that a document shows as this file: a block whose first line is `# PATH`. Throws if there is none. */
export function documentFile(document: string, path: string): string {
  const start = `\n\`\`\`yaml\n# ${path}\n`;
  const [, rest] = document.split(start);
  if (rest === undefined) throw new Error(`no block of yaml begins with # ${path}`);
  return rest.slice(0, rest.indexOf('```'));
}

const fence = /^```sh$/;
const notRun = /^<!-- not run: \S.* -->$/;

/** Lines, from 1, of the blocks of `sh` that neither have a marker nor give a reason by `<!-- not run: REASON -->`. */
export function unmarkedBlocks(document: string): readonly number[] {
  const lines = document.split('\n');
  return lines.flatMap((text, index) => {
    const above = lines[index - 1] ?? '';
    return fence.test(text) && !marker.test(above) && !notRun.test(above) ? [index + 1] : [];
  });
}

/** The names of the markers of a document, each once, in their order. */
export function markerNames(document: string): readonly string[] {
  const names = document.split('\n').map((line) => marker.exec(line)?.groups?.name);
  return [...new Set(names.filter((name) => name !== undefined))];
}
