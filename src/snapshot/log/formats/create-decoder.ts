import type { LogFormat } from '../../../catalogue/file-formats.ts';
import type { DecoderOptions, RecordDecoder } from './decoder.ts';

/** Loads the decoder of one format, and the library it needs. */
export async function createDecoder(format: LogFormat, options: DecoderOptions = {}): Promise<RecordDecoder> {
  switch (format) {
    case 'jsonl':
      return (await import('./json-lines.ts')).createJsonLinesDecoder(options);
    case 'csv':
      return (await import('./csv.ts')).createCsvDecoder(options);
    case 'tensorboard':
      return (await import('./tensorboard.ts')).createEventDecoder(options);
  }
}
