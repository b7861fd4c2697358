/** An invariant of ARCHITECTURE.md, by its number, does not hold. */
export class InvariantBroken extends Error {
  override readonly name = "InvariantBroken";
  constructor(invariant: number, message: string) {
    super(`invariant ${invariant}: ${message}`);
  }
}
