/** The log files of one run. */
export interface LogFiles {
  /** Folder of the run. */
  readonly folder: string;
  readonly paths: readonly string[];
}

/** The log that is read of a run, and the files of its other logs. */
export interface RunLogs extends LogFiles {
  readonly secondLogs: readonly string[];
}
