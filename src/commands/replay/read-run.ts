import { dirname, relative } from 'node:path';
import type { Clock } from '../../common/clock.ts';
import type { Config } from '../../config/bridge.ts';
import { type LogEntry, type LogFile, openLogFile } from '../../snapshot/log/log-file.ts';
import type { LogFiles } from '../../snapshot/log/log-files.ts';
import { createSessions, type Sessions } from '../../snapshot/log/sessions.ts';
import type { SkippedRecords } from '../../snapshot/source.ts';

export interface ReadOptions {
  readonly clock: Clock;
  readonly format: Config['metricsFileFormat'];
  /** Called with records that are damaged. */
  readonly onSkipped: (skipped: SkippedRecords) => void;
  /** Called for a file that cannot be read, or not to its end. */
  readonly onFailure: (reason: string) => void;
}

const recordsOfRead = 1_000;

/**
 * All records of a run. Its files, such as those of training and validation, are merged by time; each is read in its own
 * order. Only a few records are in memory.
 */
export async function* readRun(files: LogFiles, options: ReadOptions): AsyncGenerator<LogEntry> {
  const opened: (readonly [path: string, file: LogFile])[] = [];
  const sessions = createSessions();
  try {
    for (const path of files.paths) {
      await sessions.add(path);
      const file = await open(path, files.folder, options);
      if (file !== undefined) opened.push([path, file]);
    }
    const [first, ...others] = opened.map(([path, file]) =>
      withoutVoid(path, entriesOf(file, options), sessions, options),
    );
    if (first !== undefined) yield* others.length === 0 ? first : merged([first, ...others]);
  } finally {
    for (const [, file] of opened) await file.close();
  }
}

async function open(
  path: string,
  folder: string,
  { clock, format, onFailure }: ReadOptions,
): Promise<LogFile | undefined> {
  const preset = format === 'json' ? 'auto' : format;
  const file = await openLogFile({ path, clock, format: preset, folder: relative(folder, dirname(path)) });
  if (file.status === 'ok') return file;
  onFailure(file.reason);
  return undefined;
}

async function* entriesOf(file: LogFile, { onSkipped, onFailure }: ReadOptions): AsyncGenerator<LogEntry> {
  // The last record of an event file is complete when the file has not grown for a read.
  for (let reads = 0; reads < 2; ) {
    const result = await file.read(recordsOfRead);
    if (result.status !== 'ok') return onFailure(result.reason);
    for (const skipped of result.skipped) onSkipped(skipped);
    yield* result.entries;
    reads = result.more ? 0 : reads + 1;
  }
}

/** Records that a later file of the folder has not made void. */
async function* withoutVoid(
  path: string,
  entries: AsyncGenerator<LogEntry>,
  sessions: Sessions,
  { onSkipped }: ReadOptions,
): AsyncGenerator<LogEntry> {
  for await (const entry of entries) {
    const applied = sessions.apply(path, entry);
    if (applied === undefined) onSkipped(voidRecord);
    else yield applied;
  }
}

const voidRecord: SkippedRecords = {
  reason: 'void',
  count: 1,
  message: 'a later event file of the folder began again at their step or before (purge_step)',
};

async function* merged(sources: readonly AsyncGenerator<LogEntry>[]): AsyncGenerator<LogEntry> {
  const heads: { entry: LogEntry; readonly source: AsyncGenerator<LogEntry> }[] = [];
  for (const source of sources) {
    const next = await source.next();
    if (!next.done) heads.push({ entry: next.value, source });
  }
  while (heads.length > 0) {
    const head = heads.reduce((oldest, it) => (it.entry.timeMs < oldest.entry.timeMs ? it : oldest));
    yield head.entry;
    const next = await head.source.next();
    if (next.done) heads.splice(heads.indexOf(head), 1);
    else head.entry = next.value;
  }
}
