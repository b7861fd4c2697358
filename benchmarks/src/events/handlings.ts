import { Ends } from "../ends.js";

/** When the handler of an event began, told to who waits until its effect is durable or, where there is no such thing, acknowledged. */
export class Handlings {
  readonly #begun = new Map<string, number>();
  readonly #ends = new Ends();

  /** The handler of the event was called. */
  begins(event: string): void {
    this.#begun.set(event, performance.now());
  }

  ended(event: string): void {
    this.#ends.ended(event, null);
  }

  /** Resolves at the end, with when the handler began, by `performance.now`. Rejects when it was never called. */
  async of(event: string): Promise<number> {
    await this.#ends.of(event);
    const at = this.#begun.get(event);
    if (at === undefined) throw new Error(`expected the handler of event ${event} to be called, got its end without`);
    this.#begun.delete(event);
    return at;
  }
}
