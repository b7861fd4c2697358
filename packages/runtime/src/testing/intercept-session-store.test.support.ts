import type { SessionStore } from "../store/session-store.js";

/** Performs `call` sooner, later or not at all; `method` says which it is. */
export type Intercept = (method: keyof SessionStore, call: () => Promise<unknown>) => Promise<unknown>;

/** The same store with something around every call of it: delays, faults, counting. */
export function interceptSessionStore(store: SessionStore, intercept: Intercept): SessionStore {
  return new Proxy(store, {
    get(target, name) {
      const method = name as keyof SessionStore;
      const call = target[method] as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => intercept(method, () => call.apply(target, args));
    },
  });
}
