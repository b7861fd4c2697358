import { RuntimeError } from "../../errors.js";
import { type Clock, type Random, sleep, systemPorts } from "../../ports.js";
import { SeededRandom } from "../../simulation/seeded-random.js";
import type { RunStore } from "../../store/run-store.js";
import { interceptStore, type StoreCall } from "./intercept-store.js";

/**
 * What becomes of a call. `unavailable`: it never arrives. `reply-lost`: it has its effect, and the caller is told nothing. `late`: it is
 * answered, after `delayMs`.
 */
export type StoreFault =
  | { readonly kind: "unavailable" }
  | { readonly kind: "reply-lost" }
  | { readonly kind: "late"; readonly delayMs: number };

/** The `nth` call of a method, from 1 on, and the `times` - 1 after it. */
export interface PlannedStoreFault {
  /** `append`, `claim`, `renew`, `events.read`, `begin.commit` (of a transaction that `begin` gave), ... */
  readonly method: string;
  readonly nth: number;
  readonly fault: StoreFault["kind"];
  /** Default 1. */
  readonly times?: number;
  /** Of `late`. Default 1,000. */
  readonly delayMs?: number;
}

/** How often calls go wrong, 0 to 1. */
export interface StoreFaultRates {
  /** Default 0.03. */
  readonly unavailable?: number;
  /** Default 0.03. */
  readonly replyLost?: number;
  /** Default 0.03. */
  readonly late?: number;
  /** Part of the calls with which an outage begins: this one and up to 20 after it fail. Default 0.002. */
  readonly outage?: number;
  /** The longest delay of a late answer. Default 2,000. */
  readonly maxDelayMs?: number;
}

export interface FaultyStoreOptions {
  /** Draws faults: the same seed and the same calls, the same faults. */
  readonly seed?: number;
  readonly rates?: StoreFaultRates;
  /** Faults at places of your own, beside those of the seed. */
  readonly plan?: readonly PlannedStoreFault[];
  /** For late answers. Default: the system's. */
  readonly clock?: Clock;
}

export interface InjectedFault {
  readonly method: string;
  readonly nth: number;
  readonly fault: StoreFault["kind"];
}

export interface FaultyStore extends RunStore {
  /** What went wrong so far, in order. */
  readonly injected: readonly InjectedFault[];
  /** From here on everything works. */
  calm(): void;
}

/**
 * A store that fails: by a plan, by a seed, or by both. What it throws is `store-unavailable`, as any store does that does not answer.
 * Opening and closing always work.
 */
export function faultyStore(store: RunStore, options: FaultyStoreOptions): FaultyStore {
  const { plan = [], clock = systemPorts.clock } = options;
  const drawn = options.seed === undefined ? null : new DrawnFaults(new SeededRandom(options.seed), options.rates);
  const injected: InjectedFault[] = [];
  let isCalm = false;
  const faultOf = (call: StoreCall): StoreFault | null => {
    if (isCalm || call.method === "open" || call.method === "close") return null;
    const planned = plan.find(
      ({ method, nth, times = 1 }) => method === call.method && call.nth >= nth && call.nth < nth + times,
    );
    if (planned === undefined) return drawn?.draw() ?? null;
    return planned.fault === "late" ? { kind: "late", delayMs: planned.delayMs ?? 1_000 } : { kind: planned.fault };
  };
  const faulty = interceptStore(store, async (call, perform) => {
    const fault = faultOf(call);
    if (fault === null) return perform();
    injected.push({ method: call.method, nth: call.nth, fault: fault.kind });
    if (fault.kind === "unavailable") {
      await call.abandon();
      throw unavailable(call, "did not arrive");
    }
    const result = await perform();
    if (fault.kind === "late") {
      await sleep(clock, fault.delayMs);
      return result;
    }
    // Nobody has the transaction that it gave.
    if (isTransaction(result)) await result.rollback();
    throw unavailable(call, "had its effect, and its reply was lost");
  });
  return new Proxy(faulty as FaultyStore, {
    get(target, name) {
      if (name === "injected") return injected;
      if (name !== "calm") return Reflect.get(target, name);
      return () => {
        isCalm = true;
      };
    },
  });
}

class DrawnFaults {
  readonly #random: Random & { below(limit: number): number };
  readonly #rates: Required<StoreFaultRates>;
  /** Calls that the outage still takes. */
  #outage = 0;

  constructor(random: SeededRandom, rates: StoreFaultRates = {}) {
    this.#random = random;
    this.#rates = { unavailable: 0.03, replyLost: 0.03, late: 0.03, outage: 0.002, maxDelayMs: 2_000, ...rates };
  }

  draw(): StoreFault | null {
    const { unavailable, replyLost, late, outage, maxDelayMs } = this.#rates;
    if (this.#outage > 0) {
      this.#outage -= 1;
      return { kind: "unavailable" };
    }
    let dice = this.#random.float();
    if (dice < unavailable) return { kind: "unavailable" };
    dice -= unavailable;
    if (dice < replyLost) return { kind: "reply-lost" };
    dice -= replyLost;
    if (dice < late) return { kind: "late", delayMs: this.#random.below(maxDelayMs) };
    dice -= late;
    if (dice >= outage) return null;
    this.#outage = this.#random.below(20);
    return { kind: "unavailable" };
  }
}

function isTransaction(value: unknown): value is { rollback(): Promise<void> } {
  return typeof value === "object" && value !== null && "commit" in value && "rollback" in value;
}

function unavailable({ method, nth }: StoreCall, what: string): RuntimeError {
  return new RuntimeError("store-unavailable", `injected: call ${nth} of ${method} ${what}`);
}
