/** One after the other for each key, in the order in which they came, within this process. */
export class EventTurns {
  /** Resolves when the last of those who have come so far has left. */
  readonly #last = new Map<string, Promise<void>>();

  /** Waits for its turn. Whoever is given it ends it, by the function given; twice is once. */
  async take(group: string, eventId: string): Promise<() => void> {
    const key = JSON.stringify([group, eventId]);
    let leave = (): void => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const before = this.#last.get(key);
    const last = before === undefined ? left : before.then(() => left);
    this.#last.set(key, last);
    await before;
    return () => {
      leave();
      if (this.#last.get(key) === last) this.#last.delete(key);
    };
  }
}
