/** A manifest that cannot be edited; the message is for the user. */
export class ManifestProblem extends Error {
  /** Offset of the cause in the text. */
  readonly offset: number | undefined;

  constructor(message: string, offset?: number) {
    super(message);
    this.offset = offset;
  }
}
