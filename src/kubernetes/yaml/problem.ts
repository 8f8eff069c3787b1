/** A manifest that cannot be edited; the message is for its author. */
export class ManifestProblem extends Error {
  /** Where in the text the reason is, as an offset. */
  readonly offset: number | undefined;

  constructor(message: string, offset?: number) {
    super(message);
    this.offset = offset;
  }
}
