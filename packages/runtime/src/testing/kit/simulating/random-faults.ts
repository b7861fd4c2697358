import type { SeededRandom } from "../../../simulation/seeded-random.js";
import type { RunStore } from "../../../store/run-store.js";
import { type FaultyStore, faultyStore, type StoreFaultRates } from "../faulty-store.js";
import type { Place, StepFault } from "../step-faults.js";
import type { TestProcess } from "../test-process.js";
import type { TestTime } from "../test-time.js";

/** What goes wrong in a simulation; `false` or 0: never. */
export interface SimulatedFaults {
  /** Calls of the store that fail, lose their reply or are answered late. Default: `faultyStore`'s rates. */
  readonly store?: StoreFaultRates | false;
  /**
   * Part of the attempts at steps and compensations that are refused (steps alone), fail, lose their reply, are done twice or hang.
   * Default 0.3.
   */
  readonly participants?: number;
  /** Part of the writes before or after which the process dies. Default 0.04. */
  readonly crashes?: number;
  /** Part of the seeds in which somebody cancels the run. Default 0.2. */
  readonly cancels?: number;
  /** Faults of one seed, at most; when it has had them, everything works. Default 15. */
  readonly most?: number;
}

/** Faults of one seed, the same each time as long as what it is asked is the same. */
export class RandomFaults {
  readonly counts = new Map<string, number>();
  readonly #random: SeededRandom;
  readonly #faults: Required<Omit<SimulatedFaults, "store">> & Pick<SimulatedFaults, "store">;
  readonly #stores: FaultyStore[] = [];
  readonly #most: number;
  /** Keys of acts that were refused, and stay so. */
  readonly #refused = new Set<string>();
  #own = 0;
  #calm = false;

  constructor(random: SeededRandom, faults: SimulatedFaults) {
    this.#random = random;
    this.#faults = { participants: 0.3, crashes: 0.04, cancels: 0.2, most: 15, ...faults };
    this.#most = 1 + random.below(this.#faults.most);
  }

  get cancels(): boolean {
    return this.#random.chance(this.#faults.cancels);
  }

  /** From here on everything works. */
  calm(): void {
    this.#calm = true;
    for (const store of this.#stores) store.calm();
  }

  readonly store = (inner: RunStore, time: TestTime): RunStore => {
    const { store: rates = {} } = this.#faults;
    if (rates === false) return inner;
    const seed = this.#random.below(2 ** 32);
    const store = faultyStore(inner, { seed, rates, clock: time.forHandlers });
    if (this.#isCalm) store.calm();
    this.#stores.push(store);
    return store;
  };

  /** `isDone`: an earlier attempt had its effect. A participant does not refuse what it has done. */
  faultOf(place: Place, isDone: boolean): StepFault | null {
    const act = `${place.saga} ${place.stage} ${place.direction}`;
    const refused = { kind: "refused", status: 422, message: "injected: no" } as const;
    if (this.#refused.has(act)) return refused;
    if (this.#isCalm || !this.#random.chance(this.#faults.participants)) return null;
    const dice = this.#random.float();
    if (dice < 0.15 && place.direction === "forward" && !isDone) {
      this.#refused.add(act);
      return this.#strike("refused", refused);
    }
    if (dice < 0.5) return this.#strike("failed", { kind: "failed", status: 503, message: "injected: down" });
    if (dice < 0.75) return this.#strike("reply lost", { kind: "reply-lost" });
    if (dice < 0.9) return this.#strike("done twice", { kind: "twice" });
    return this.#strike("hangs", { kind: "hangs" });
  }

  onWrite(_: "before" | "after", process: TestProcess): void {
    if (this.#isCalm || !this.#random.chance(this.#faults.crashes / 2)) return;
    this.#strike("crash", null);
    process.crash();
  }

  /** Those of the stores too, by what went wrong. */
  get all(): ReadonlyMap<string, number> {
    const all = new Map(this.counts);
    for (const { fault } of this.#stores.flatMap(({ injected }) => injected))
      all.set(`store: ${fault}`, (all.get(`store: ${fault}`) ?? 0) + 1);
    return all;
  }

  #strike<Fault>(kind: string, fault: Fault): Fault {
    this.#own += 1;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    return fault;
  }

  get #isCalm(): boolean {
    if (this.#calm) return true;
    const struck = this.#own + this.#stores.reduce((sum, { injected }) => sum + injected.length, 0);
    if (struck >= this.#most) this.calm();
    return this.#calm;
  }
}
