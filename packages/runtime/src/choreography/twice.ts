/** Reactions that are remembered for the other time, at most. */
const MAX_KEPT = 20_000;

/**
 * Events that come twice to the instance that wrote them, at once and as a broker brings them, in either order. Whoever comes second
 * finds what the first one did, and does it only if that one failed. What is forgotten is done again.
 */
export class Twice {
  readonly #first = new Map<string, Promise<boolean>>();

  /** Rejects as `react` does. */
  async once(id: string, react: () => Promise<void>): Promise<void> {
    const first = this.#first.get(id);
    this.#first.delete(id);
    if (first !== undefined && (await first)) return;
    const reaction = react();
    const isDone = reaction.then(
      () => true,
      () => false,
    );
    this.#first.set(id, isDone);
    const [oldest] = this.#first.size > MAX_KEPT ? this.#first.keys() : [];
    if (oldest !== undefined) this.#first.delete(oldest);
    return reaction;
  }
}
