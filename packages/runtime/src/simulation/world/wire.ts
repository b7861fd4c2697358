import { RuntimeError } from "../../errors.js";
import type { AppendResult, RunStore, StepTransaction } from "../../store/run-store.js";
import type { ManualClock } from "../../testing/manual-clock.js";
import { beginOn } from "./begin-on.js";
import type { Faults } from "./faults.js";
import type { ProcessClock } from "./process-clock.js";

/**
 * The network between one process and what it calls. A request goes its way whatever becomes of its sender; an answer
 * reaches a process that lives, and once it is not paused. What is sent is copied when it is sent.
 */
export class Wire {
  readonly #world: ManualClock;
  readonly #process: ProcessClock;
  readonly #faults: Faults;
  #closed = false;

  constructor(world: ManualClock, process: ProcessClock, faults: Faults) {
    this.#world = world;
    this.#process = process;
    this.#faults = faults;
  }

  /** From here on nothing is sent. What is under way may still arrive. */
  close(): void {
    this.#closed = true;
  }

  /** A store whose transactions stay at its end of the wire; their clients are here, and what they do is sent with the commit. */
  connectStore(store: RunStore): RunStore {
    const connected = this.connect(store);
    return {
      ...connected,
      begin: async () => {
        const transaction = (await this.#call(() => beginOn(store))) as StepTransaction;
        return {
          client: transaction.client,
          check: () => undefined,
          commit: (append) => {
            const sent = copy(append) as typeof append;
            return this.#call(() => transaction.commit(sent)) as Promise<AppendResult>;
          },
          rollback: async () => void (await this.#call(() => transaction.rollback()).catch(() => {})),
        };
      },
    };
  }

  /** The same object as seen through this wire: each of its methods is a call that may go wrong. */
  connect<Target extends object>(target: Target): Target {
    return new Proxy(target, {
      get: (_, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== "function") return method;
        return (...given: unknown[]) => {
          const args = given.map(copy);
          return this.#call(async () => (await Reflect.apply(method, target, args)) as unknown);
        };
      },
    });
  }

  #call(execute: () => Promise<unknown>): Promise<unknown> {
    if (this.#closed) return Promise.reject(new RuntimeError("store-unavailable", "simulated: closed"));
    const fate = this.#faults.draw();
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new RuntimeError("store-unavailable", `simulated: ${fate.kind}`));
      const answer = (replyMs: number, settle: () => void): void =>
        void this.#world.after(replyMs, () => this.#process.enter(settle));
      if (fate.kind === "fails-before") return answer(fate.replyMs, fail);
      if (fate.kind === "arrives-late") answer(fate.replyMs, fail);
      this.#world.after(fate.requestMs, () => {
        // What arrives in an outage is lost with it.
        if (this.#faults.isOutage) return answer(50, fail);
        const done = execute();
        if (fate.kind === "answered")
          done.then(
            (value) => answer(fate.replyMs, () => resolve(value)),
            (error: unknown) => answer(fate.replyMs, () => reject(error)),
          );
        else
          done.then(
            () => answer(fate.replyMs, fail),
            () => answer(fate.replyMs, fail),
          );
      });
    });
  }
}

/** Plain data only, as all contracts take it; several times faster than `structuredClone`. */
function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
}
