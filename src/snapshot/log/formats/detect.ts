import { basename } from 'node:path';
import type { PresetName } from '../../../catalogue/file-formats.ts';
import { hasSignature, logPresets } from '../../../catalogue/log-presets.ts';
import { parsePythonJson } from '../../parse.ts';
import { isRecordHeader } from './tfrecord.ts';

/** What a file is: the metrics file of this project, or a log. */
export type DetectedFormat = 'json' | PresetName;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The format of a file, from its first bytes (64 KiB are enough), or from its name while it is empty. A file is a log only
 * if this is certain; anything else is the metrics file.
 */
export function detectFormat(path: string, firstBytes: Uint8Array): DetectedFormat {
  const name = basename(path);
  const bytes = Buffer.from(firstBytes.buffer, firstBytes.byteOffset, firstBytes.length);
  if (bytes.length >= 12 ? isRecordHeader(bytes, 0) : name.includes('tfevents')) return 'tensorboard';
  const lines = bytes.toString('utf8').split(/\r?\n/);
  if (/\.csv$/i.test(name)) return csvPreset(name, lines);
  const isJsonLines = /\.(jsonl|ndjson)$/i.test(name);
  const record = lines.length > 1 ? objectOf(lines[0]) : undefined;
  if (record === undefined) return isJsonLines ? 'jsonl' : 'json';
  const preset = jsonPreset(record);
  if (preset !== undefined) return preset;
  const hasSecondRecord = objectOf(lines[1]) !== undefined;
  return isJsonLines || hasSecondRecord ? 'jsonl' : 'json';
}

function objectOf(line: string | undefined): Fields | undefined {
  if (!line?.startsWith('{')) return undefined;
  const parsed = parsePythonJson(Buffer.from(line));
  return parsed.status === 'ok' ? (parsed.value as Fields) : undefined;
}

const jsonPresets = ['llama-factory', 'swift', 'detectron2', 'mmengine', 'verl'] as const;

const jsonPreset = (record: Fields): PresetName | undefined =>
  jsonPresets.find((preset) => hasSignature(logPresets[preset], record));

/**
 * Lightning always writes `metrics.csv`, with its columns in alphabetical order. Keras writes the epoch first and the
 * others in that order; its epochs begin at 0.
 */
function csvPreset(name: string, [header = '', first = '']: readonly string[]): PresetName {
  const columns = header.split(',').map((column) => column.trim());
  if (hasSignature(logPresets.ultralytics, Object.fromEntries(columns.map((column) => [column, ''])))) {
    return 'ultralytics';
  }
  if (name === 'metrics.csv' && columns.includes('step') && isSorted(columns)) return 'lightning';
  const isKeras =
    columns[0] === 'epoch' && columns.length > 1 && isSorted(columns.slice(1)) && /^0[,;\t]/.test(first);
  return isKeras && !columns.includes('step') ? 'keras' : 'csv';
}

const isSorted = (names: readonly string[]) =>
  names.every((name, index) => index === 0 || (names[index - 1] as string) <= name);
