import { dirname } from 'node:path';
import type { PresetName } from '../../catalogue/file-formats.ts';
import type { Clock } from '../../common/clock.ts';
import type { LogJob } from './identity.ts';
import type { LogFile } from './log-file.ts';
import type { LogRun } from './log-run.ts';
import type { RunFiles } from './run-files.ts';
import type { SavedPosition } from './saved-position.ts';

export interface LogSourceOptions {
  readonly path: string;
  readonly clock: Clock;
  /** When the bridge started, in Unix milliseconds. */
  readonly startedUnixMs: number;
  readonly format: 'auto' | PresetName;
  /** `end`: reads the last record of each kind that is there, and then what is appended. */
  readonly start: 'end' | 'beginning';
  readonly job: LogJob;
  /** The file that stores how far the log was exported; undefined if this is not stored. */
  readonly positionFile?: string | undefined;
}

/** What a log source knows between two polls. */
export interface LogReader {
  readonly options: LogSourceOptions;
  /** The log that is followed, if the path is a file. */
  file: LogFile | undefined;
  /** The logs that are followed, if the path is a folder or a pattern. */
  runFiles: RunFiles | undefined;
  /** Whether the path is a folder or a pattern; undefined until that is known. */
  isSeveral: boolean | undefined;
  /** When the folder is searched again, in monotonic milliseconds. */
  nextSearchMs: number;
  /** Whether the last search found more logs than it looks at. */
  hasMoreLogs: boolean;
  /** Folders of runs that are no longer followed, so that they are not read a second time. */
  readonly leftFolders: Set<string>;
  /** Whether there was no log at some time, so that every record of a log is new. */
  wasMissing: boolean;
  /** The run of the last record. */
  run: LogRun | undefined;
}

export const createLogReader = (options: LogSourceOptions): LogReader => ({
  options,
  file: undefined,
  runFiles: undefined,
  isSeveral: undefined,
  nextSearchMs: Number.NEGATIVE_INFINITY,
  hasMoreLogs: false,
  leftFolders: new Set(),
  wasMissing: false,
  run: undefined,
});

/** The log that is followed; undefined until there is one. */
export const openedLog = ({
  file,
  runFiles,
}: LogReader): Pick<LogFile, 'read' | 'times' | 'close'> | undefined => runFiles ?? file;

/** The folder of the run. */
export const folderOfRun = ({ options, runFiles }: LogReader): string =>
  runFiles?.folder ?? dirname(options.path);

/** How far the log was read; undefined if no log was opened. */
export function reachedPosition(reader: LogReader): SavedPosition | undefined {
  const { options, file, runFiles, run } = reader;
  const { path } = options;
  const files = runFiles?.positions ?? (file && new Map([[path, file.lastPosition]]));
  return files && { path, folder: folderOfRun(reader), files, run };
}
