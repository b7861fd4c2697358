import { RuntimeError } from "../errors.js";
import type { RunStore } from "../store/run-store.js";

export interface MortalStore {
  readonly store: RunStore;
  /** From here on nothing that this process says is heard, as if it had been killed or cut off. */
  die(): void;
  /** It is heard again. */
  revive(): void;
}

/** A store as one process sees it, which may die: its calls are then not answered, and change nothing. */
export function mortal(store: RunStore): MortalStore {
  let isDead = false;
  const dead = (): Promise<never> =>
    Promise.reject(new RuntimeError("store-unavailable", "expected a process that lives, got a dead one"));
  const guarded = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(inner, name) {
        const value: unknown = Reflect.get(inner, name, inner);
        if (typeof value === "object" && value !== null && (name === "batches" || name === "events"))
          return guarded(value);
        if (typeof value !== "function" || name === "listen" || name === "close") return value;
        return (...args: unknown[]): unknown => (isDead ? dead() : Reflect.apply(value, inner, args));
      },
    });
  return {
    store: guarded(store),
    die: () => {
      isDead = true;
    },
    revive: () => {
      isDead = false;
    },
  };
}
