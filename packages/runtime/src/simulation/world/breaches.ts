import { InvariantBroken } from "../invariant-broken.js";

/**
 * Collects what breaks an invariant. A check often runs inside a call of the runtime, which would take what it throws for
 * a fault of the world; so breaches are kept here, and the simulation looks after each event.
 */
export class Breaches {
  /** How often each invariant was judged, by its number; one check may judge several. */
  readonly judged = new Map<number, number>();
  checks = 0;
  #first: Error | null = null;

  /** Runs a check that throws when one of these invariants is broken. */
  check(what: () => void, invariants: readonly number[] = []): void {
    this.checks += 1;
    for (const invariant of invariants) this.judged.set(invariant, (this.judged.get(invariant) ?? 0) + 1);
    try {
      what();
    } catch (error) {
      this.#first ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  expect(holds: boolean, invariant: number, message: () => string): void {
    this.check(() => {
      if (!holds) throw new InvariantBroken(invariant, message());
    }, [invariant]);
  }

  /** Throws the first breach, if there was one. */
  raise(): void {
    if (this.#first !== null) throw this.#first;
  }
}
