import type { SeededRandom } from "../seeded-random.js";

/** What becomes of one call to a store. */
export type Fate =
  | { readonly kind: "answered"; readonly requestMs: number; readonly replyMs: number }
  /** It never arrives, and the caller is told that the store is unavailable. */
  | { readonly kind: "fails-before"; readonly replyMs: number }
  /** It is done, and the caller is told that the store is unavailable. */
  | { readonly kind: "reply-lost"; readonly requestMs: number; readonly replyMs: number }
  /** The caller is told that the store is unavailable, and later it is done after all. */
  | { readonly kind: "arrives-late"; readonly requestMs: number; readonly replyMs: number };

/** Draws faults at rates that differ from seed to seed, and counts them. */
export class Faults {
  readonly counts = new Map<string, number>();
  readonly #random: SeededRandom;
  readonly #leaseMs: number;
  readonly #rates: Readonly<Record<"fails-before" | "reply-lost" | "arrives-late" | "slow", number>>;
  #outage = false;
  #calm = false;

  constructor(random: SeededRandom, leaseMs: number) {
    this.#random = random;
    this.#leaseMs = leaseMs;
    // Some worlds are calm, some are dreadful in one respect: rare meetings of two faults need a world of their own.
    const rate = (most: number): number => {
      const dice = random.float();
      return dice < 0.3 ? 0 : random.float() * (dice < 0.85 ? most : 6 * most);
    };
    this.#rates = { "fails-before": rate(0.1), "reply-lost": rate(0.1), "arrives-late": rate(0.04), slow: rate(0.04) };
  }

  /** From here on everything works. */
  calm(): void {
    this.#calm = true;
    this.#outage = false;
  }

  get isCalm(): boolean {
    return this.#calm;
  }

  get isOutage(): boolean {
    return this.#outage;
  }

  setOutage(outage: boolean): void {
    if (outage && !this.#outage) this.count("outage of the store");
    this.#outage = outage;
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  draw(): Fate {
    const random = this.#random;
    const [requestMs, replyMs] = [random.below(15), random.below(15)];
    if (this.#calm) return { kind: "answered", requestMs, replyMs };
    if (this.#outage) return { kind: "fails-before", replyMs: random.below(200) };
    if (random.chance(this.#rates["fails-before"])) {
      this.count("store fails before");
      return { kind: "fails-before", replyMs: random.below(200) };
    }
    if (random.chance(this.#rates["reply-lost"])) {
      this.count("store's reply lost");
      return { kind: "reply-lost", requestMs, replyMs: random.below(300) };
    }
    if (random.chance(this.#rates["arrives-late"])) {
      this.count("request arrives late");
      const toldMs = random.below(1_000);
      return { kind: "arrives-late", replyMs: toldMs, requestMs: toldMs + random.below(2.5 * this.#leaseMs) };
    }
    if (random.chance(this.#rates.slow)) {
      this.count("store answers slowly");
      const slowMs = random.below(1.5 * this.#leaseMs);
      return random.chance(0.5)
        ? { kind: "answered", requestMs: slowMs, replyMs }
        : { kind: "answered", requestMs, replyMs: slowMs };
    }
    return { kind: "answered", requestMs, replyMs };
  }
}
