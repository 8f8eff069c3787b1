/** The log files of one run. */
export interface LogFiles {
  /** Folder of the run. */
  readonly folder: string;
  readonly paths: readonly string[];
}
