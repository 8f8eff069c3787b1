import { isNumericField, type NumericField } from '../catalogue/metrics.ts';
import { presetField } from '../catalogue/presets.ts';
import { extraName } from './extras.ts';
import { numberSchemas } from './schema.ts';
import type { SectionLog } from './skip-log.ts';
import type { Snapshot } from './snapshot.ts';
import { readNumber } from './values.ts';

type Document = Readonly<Record<string, unknown>>;

type Numbers = Pick<Snapshot, 'values' | 'extras' | 'nonFinite' | 'presets'>;

/** Reads the fields of `training_metrics`. An invalid one is left out and listed in `log`. */
export function readMetrics(metrics: Document, log: SectionLog): Numbers {
  const nonFinite = new Map<string, number>();
  const known = Object.keys(metrics).filter(isNumericField);
  const values = readKnown(metrics, known, nonFinite, log);
  const presets = readPresets(metrics, values, nonFinite);
  const used = new Set(presets.values());
  const others = Object.keys(metrics).filter(
    (field) => !isNumericField(field) && !(used.has(field) && extraName(field).status === 'refused'),
  );
  return { values, extras: readExtras(metrics, others, nonFinite, log), nonFinite, presets };
}

type Values = Partial<Record<NumericField, number>>;

/** Fills absent fields from other names of the file, in its order. The first valid value counts. */
function readPresets(metrics: Document, values: Values, nonFinite: Map<string, number>) {
  const presets = new Map<NumericField, string>();
  for (const name of Object.keys(metrics)) {
    const field = presetField(name);
    if (field === undefined || field in metrics || presets.has(field)) continue;
    const reading = readNumber(metrics[name]);
    if (reading.status === 'non_finite') nonFinite.set(field, reading.value);
    else if (reading.status === 'number' && numberSchemas[field].safeParse(reading.value).success)
      values[field] = reading.value;
    else continue;
    presets.set(field, name);
  }
  return presets;
}

function readKnown(
  metrics: Document,
  fields: readonly NumericField[],
  nonFinite: Map<string, number>,
  log: SectionLog,
): Values {
  const values: Values = {};
  for (const field of fields) {
    const reading = readNumber(metrics[field]);
    if (reading.status === 'non_finite') nonFinite.set(field, reading.value);
    else if (reading.status === 'skipped') log.skip(field, reading.reason);
    else if (!numberSchemas[field].safeParse(reading.value).success) log.skip(field, 'out_of_range');
    else {
      values[field] = reading.value;
      if (reading.converted) log.convert(field);
    }
  }
  return values;
}

function readExtras(
  metrics: Document,
  fields: readonly string[],
  nonFinite: Map<string, number>,
  log: SectionLog,
) {
  const extras = new Map<string, number>();
  const takenNames = new Set<string>();
  // A field that is spelled as its metric comes first, so that `Grad_norm` or `grad__norm` never replaces it.
  for (const field of fields.toSorted((a, b) => Number(isRespelled(a)) - Number(isRespelled(b)))) {
    const reading = readNumber(metrics[field]);
    const extra = extraName(field);
    if (reading.status === 'skipped') log.skipUnknown(field, reading.reason);
    else if (extra.status === 'refused') log.skipUnknown(field, extra.reason);
    else if (takenNames.has(extra.prometheus)) log.skipUnknown(field, 'name_taken');
    else {
      takenNames.add(extra.prometheus);
      (reading.status === 'number' ? extras : nonFinite).set(extra.name, reading.value);
      if (reading.status === 'number' && reading.converted) log.convert(field);
    }
  }
  return extras;
}

const isRespelled = (field: string) => /[A-Z]|__|_$/.test(field);
