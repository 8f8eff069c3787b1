import { parsePythonJson } from '../../parse.ts';
import type { DecoderOptions, LogRecord, RecordDecoder } from './decoder.ts';
import { createLineSplitter, type LogLine } from './lines.ts';
import { createProblemLog } from './problems.ts';
import { recordTimes } from './record-times.ts';

/** Decodes JSON lines as Python writes them: one object a line, with NaN and Infinity that may have no quotes. */
export function createJsonLinesDecoder(options: DecoderOptions): RecordDecoder {
  const problems = createProblemLog();
  const lines = createLineSplitter(options, problems);

  function recordOf({ bytes, end }: LogLine): readonly LogRecord[] {
    if (isBlank(bytes)) return [];
    const parsed = parsePythonJson(bytes);
    if (parsed.status !== 'ok') problems.add('malformed', `a line is not JSON: ${parsed.reason}`);
    else if (!isObject(parsed.value)) problems.add('malformed', 'a line is JSON, but not an object');
    else return [{ fields: parsed.value, ...recordTimes(parsed.value), end }];
    return [];
  }

  return {
    push: (bytes) => lines.push(bytes).flatMap(recordOf),
    finish: () => [],
    get pending() {
      return lines.pending;
    },
    columns: undefined,
    takeProblems: problems.take,
  };
}

const isBlank = (bytes: Uint8Array) => bytes.every((byte) => byte === 0x20 || byte === 0x09);

const isObject = (value: unknown): value is LogRecord['fields'] =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
