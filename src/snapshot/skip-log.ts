import type { SkipReason } from '../catalogue/outcomes.ts';
import type { FileSection, SkippedField } from './snapshot.ts';
import type { FieldReading } from './values.ts';

/** Lists what is left out of one section of the file. */
export interface SectionLog {
  skip(field: string, reason: SkipReason): void;
  /** The same for a field that the file's contract does not define. */
  skipUnknown(field: string, reason: SkipReason): void;
  /** The value of a field. A field without a valid value is skipped. */
  valueOf<T>(field: string, reading: FieldReading<T>): T | undefined;
  /** Notes that the field held a number as text. */
  convert(field: string): void;
}

/** Collects the fields of a file that are left out, and those that held a number as text. */
export function createSkipLog() {
  const skipped: SkippedField[] = [];
  const converted: string[] = [];
  const section = (name: FileSection): SectionLog => {
    const skip = (field: string, reason: SkipReason) =>
      void skipped.push({ section: name, field, known: true, reason });
    return {
      skip,
      skipUnknown: (field, reason) => void skipped.push({ section: name, field, known: false, reason }),
      valueOf(field, reading) {
        if (reading.status === 'ok') return reading.value;
        if (reading.status === 'skipped') skip(field, reading.reason);
        return undefined;
      },
      convert: (field) => void converted.push(field),
    };
  };
  return { skipped, converted, section };
}
