/** A manifest that cannot be edited; the message is for the user. */
export class ManifestProblem extends Error {
  /** The cause: an offset in the text, or a map or list that was read from it. */
  readonly place: number | object | undefined;

  constructor(message: string, place?: number | object) {
    super(message);
    this.place = place;
  }
}
