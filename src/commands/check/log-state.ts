import { type FileHandle, open } from 'node:fs/promises';
import { formatOfPreset, type PresetName } from '../../catalogue/file-formats.ts';
import { createDecoder } from '../../snapshot/log/formats/create-decoder.ts';
import { type LogRecord, maxRecordBytes, type RecordDecoder } from '../../snapshot/log/formats/decoder.ts';
import { type DetectedFormat, detectFormat } from '../../snapshot/log/formats/detect.ts';
import { type ColumnUse, createRecordMapper } from '../../snapshot/log/formats/map-record.ts';
import { nextRecordHeader } from '../../snapshot/log/formats/tfrecord.ts';
import type { FollowedLog } from './followed-log.ts';

/** The end of a log: the last value of each column. */
export interface LogState {
  readonly preset: PresetName;
  /** In the shape of the metrics file. */
  readonly document: Readonly<Record<string, unknown>>;
  /** As written, by column. */
  readonly written: LogRecord['fields'];
  readonly columns: ReadonlyMap<string, ColumnUse>;
  /** What was passed over or changed, and why. */
  readonly notes: readonly string[];
}

export type LogReading =
  | { readonly status: 'ok'; readonly log: LogState }
  | { readonly status: 'no_record'; readonly reason: string };

/** Enough for the names of ten thousand columns. */
const headBytes = 262_144;

/** The format of a file, from its beginning. Throws if it cannot be read. */
export async function formatOfFile(path: string): Promise<DetectedFormat> {
  const handle = await open(path);
  try {
    return detectFormat(path, await readBytes(handle, 0, headBytes));
  } finally {
    await handle.close();
  }
}

/** Reads the last 1 MiB of a log, and the names of its columns. Throws if it cannot be read. */
export async function readLog(
  path: string,
  preset: PresetName,
  followed: FollowedLog | undefined,
): Promise<LogReading> {
  const format = formatOfPreset(preset);
  const handle = await open(path);
  try {
    const start = Math.max(0, (await handle.stat()).size - maxRecordBytes);
    const first = await createDecoder(format);
    if (start === 0) return stateOf(preset, first, await readBytes(handle, 0, maxRecordBytes), followed);
    first.push(await readBytes(handle, 0, headBytes));
    const { columns } = first;
    const tail = await readBytes(handle, start, maxRecordBytes);
    const decoder = await createDecoder(format, { offset: start, ...(columns && { columns }) });
    // The first record is cut off.
    return stateOf(
      preset,
      decoder,
      tail.subarray(format === 'tensorboard' ? nextRecordHeader(tail) : tail.indexOf('\n') + 1),
      followed,
    );
  } finally {
    await handle.close();
  }
}

async function readBytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function stateOf(
  preset: PresetName,
  decoder: RecordDecoder,
  bytes: Uint8Array,
  followed: FollowedLog | undefined,
): LogReading {
  const map = createRecordMapper(preset, followed && { folder: followed.folder });
  const metrics: Record<string, unknown> = {};
  const sections: Record<string, unknown> = {};
  const written: Record<string, unknown> = {};
  const columns = new Map<string, ColumnUse>();
  let repeated = 0;
  let hidesNaN = false;
  for (const record of [...decoder.push(bytes), ...decoder.finish()]) {
    const result = map(record);
    if (result.status === 'ok') {
      const { training_metrics: measured, ...others } = result.document;
      Object.assign(metrics, measured);
      Object.assign(sections, others);
      Object.assign(written, result.written);
      for (const [column, use] of result.columns) columns.set(column, use);
      hidesNaN ||= result.hidesNaN;
    } else if (result.reason !== 'no_values') repeated++;
  }
  const problems = decoder.takeProblems().map(({ count, message }) => `${count} × ${message}.`);
  if (Object.keys(metrics).length === 0)
    return { status: 'no_record', reason: problems[0] ?? 'the log holds no complete record with a number' };
  const notes = [
    ...(followed?.notes ?? []),
    ...problems,
    ...(repeated === 0 ? [] : [`${repeated} × a record only repeats others, and is passed over.`]),
    ...(hidesNaN ? [hiddenNaN] : []),
  ];
  return {
    status: 'ok',
    log: { preset, document: { ...sections, training_metrics: metrics }, written, columns, notes },
  };
}

const hiddenNaN =
  "The loss is 0 where grad_norm is NaN: Hugging Face's Trainer logs 0 if all losses of an interval were NaN (logging_nan_inf_filter=True). The bridge takes such a loss as NaN.";
