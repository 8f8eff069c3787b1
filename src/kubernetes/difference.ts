/** What becomes of a line; the indices are those of both lists at that point. */
export interface EditStep {
  readonly kind: 'keep' | 'delete' | 'insert';
  readonly before: number;
  readonly after: number;
}

/** 64 MiB; two manifests of 4,000 lines that have nothing in common. */
const largestTable = 2 ** 24;

/** A key whose empty value is filled, or the other way round, is still the same line; so it is without its comment. */
const withoutEmpty = (line: string) => withoutComment(line).replace(/: (?:null|Null|NULL|~|\[\]|\{\})$/, ':');

/** A line that ends in a key or in an empty value, without the comment behind that: printed, it has a line of its own. */
export const withoutComment = (line: string) => line.replace(keyAndComment, '$1');

const keyAndComment = /(:(?: (?:null|Null|NULL|~|\[\]|\{\}))?)( +#.*)$/;

/** The comment that `withoutComment` takes away, with the space before it. */
export const commentOf = (line: string) => keyAndComment.exec(line)?.[2] ?? '';

/**
 * The shortest way from one list of lines to another, by their longest common subsequence.
 *
 * @returns undefined where that would take too much memory
 */
export function difference(
  before: readonly string[],
  after: readonly string[],
): readonly EditStep[] | undefined {
  const a = before.map(withoutEmpty);
  const b = after.map(withoutEmpty);
  let head = 0;
  while (head < a.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const rows = a.length - head - tail;
  const columns = b.length - head - tail;
  if (rows * columns > largestTable) return undefined;

  const steps: EditStep[] = [];
  for (let at = 0; at < head; at++) steps.push({ kind: 'keep', before: at, after: at });
  const longest = commonLengths(a.slice(head, head + rows), b.slice(head, head + columns));
  let row = 0;
  let column = 0;
  while (row < rows || column < columns) {
    const at = { before: head + row, after: head + column };
    const isKept = row < rows && column < columns && a[at.before] === b[at.after];
    const kind = isKept
      ? 'keep'
      : row < rows && longest(row + 1, column) >= longest(row, column + 1)
        ? 'delete'
        : 'insert';
    steps.push({ kind, ...at });
    if (kind !== 'insert') row++;
    if (kind !== 'delete') column++;
  }
  for (let left = tail; left > 0; left--)
    steps.push({ kind: 'keep', before: a.length - left, after: b.length - left });
  return steps;
}

/** How many lines two lists have in common from a place in each on; less than none beyond their ends. */
function commonLengths(a: readonly string[], b: readonly string[]): (row: number, column: number) => number {
  const width = b.length + 1;
  const lengths = new Int32Array((a.length + 1) * width);
  const at = (row: number, column: number) =>
    row > a.length || column > b.length ? -1 : (lengths[row * width + column] ?? 0);
  for (let row = a.length - 1; row >= 0; row--)
    for (let column = b.length - 1; column >= 0; column--)
      lengths[row * width + column] =
        a[row] === b[column]
          ? 1 + at(row + 1, column + 1)
          : Math.max(at(row + 1, column), at(row, column + 1));
  return at;
}
