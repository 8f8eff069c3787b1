import { parse } from 'csv-parse/sync';
import { readNumber } from '../../values.ts';
import type { DecoderOptions, LogRecord, RecordDecoder } from './decoder.ts';
import { createLineSplitter, utf8Text } from './lines.ts';
import { createProblemLog } from './problems.ts';
import { recordTimes } from './record-times.ts';

interface Row {
  readonly cells: readonly string[];
  readonly end: number;
}

/**
 * Decodes CSV with a header. The separator is the comma, semicolon or tab, whichever the header has most of. An empty
 * cell and `NA` are absent fields. A row in which no cell is a number is a new header.
 */
export function createCsvDecoder(options: DecoderOptions): RecordDecoder {
  const problems = createProblemLog();
  const lines = createLineSplitter(options, problems);
  let columns = options.columns;
  let separator: string | undefined;

  function rowsOf(bytes: Uint8Array): readonly Row[] {
    const texts = lines.push(bytes).flatMap((line) => {
      const text = utf8Text(line.bytes);
      if (text === undefined) problems.add('not_text', 'a line is not UTF-8 text');
      return text === undefined || text.trim() === '' ? [] : [{ text, end: line.end }];
    });
    separator ??= texts[0] && separatorOf(texts[0].text);
    if (separator === undefined) return [];
    const cells = cellsOf(
      texts.map(({ text }) => text),
      separator,
    );
    return texts.flatMap(({ end }, index) => {
      const row = cells[index];
      if (row === undefined) problems.add('malformed', 'a row has a quotation mark that is not closed');
      return row === undefined ? [] : [{ cells: row, end }];
    });
  }

  function recordOf({ cells, end }: Row): readonly LogRecord[] {
    if (isHeader(cells) && (columns === undefined || cells.length > 1)) {
      columns = cells.map((cell) => cell.trim());
      return [];
    }
    if (columns === undefined) {
      problems.add('no_header', 'the first row holds numbers, not the names of the columns');
      return [];
    }
    if (cells.length !== columns.length) {
      problems.add('row_width', rowWidthMessage(cells.length, columns.length));
      return [];
    }
    const fields = fieldsOf(columns, cells);
    return [{ fields, ...recordTimes(fields), end }];
  }

  return {
    push: (bytes) => rowsOf(bytes).flatMap(recordOf),
    finish: () => [],
    get pending() {
      return lines.pending;
    },
    get columns() {
      return columns;
    },
    takeProblems: problems.take,
  };
}

const rowWidthMessage = (cells: number, columns: number) =>
  `a row has ${cells} cells and the header ${columns} columns: another run with other metrics has appended to the file. Give each run its own file (Keras: CSVLogger with append=False)`;

function separatorOf(header: string): string {
  const [best = ','] = [',', ';', '\t'].toSorted((a, b) => header.split(b).length - header.split(a).length);
  return best;
}

/** The cells of each line. One call for all is ten times as fast; a line with unbalanced quotes is parsed by itself. */
function cellsOf(lines: readonly string[], delimiter: string): readonly (readonly string[] | undefined)[] {
  const all = parsed(lines.join('\n'), delimiter);
  return all?.length === lines.length ? all : lines.map((line) => parsed(line, delimiter)?.[0]);
}

function parsed(text: string, delimiter: string): readonly (readonly string[])[] | undefined {
  try {
    return parse(text, { delimiter, record_delimiter: '\n', relax_column_count: true, relax_quotes: true });
  } catch {
    return undefined;
  }
}

const absent = (cell: string) => cell === '' || cell === 'NA';

/** Names of columns are not numbers. A row without any value is not a header, but a row of absent fields. */
function isHeader(cells: readonly string[]): boolean {
  const present = cells.filter((cell) => !absent(cell.trim()));
  return present.length > 0 && present.every((cell) => readNumber(cell).status === 'skipped');
}

function fieldsOf(columns: readonly string[], cells: readonly string[]): LogRecord['fields'] {
  return Object.fromEntries(
    columns.flatMap((column, index) => {
      const cell = cells[index]?.trim() ?? '';
      return absent(cell) ? [] : [[column, cellValue(cell)] as const];
    }),
  );
}

/** A number has no other spelling in CSV, so that it is not reported as a number that is written as text. */
function cellValue(cell: string): number | string {
  const reading = readNumber(cell);
  return reading.status === 'number' ? reading.value : cell;
}
