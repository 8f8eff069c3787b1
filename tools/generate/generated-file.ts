/** A file of the repository that is generated, in whole or between markers. */
export interface GeneratedFile {
  /** Relative to the root of the repository. */
  readonly path: string;
  /** The new content of the file, given its current content; undefined if there is no file. */
  readonly render: (current: string | undefined) => string;
}
