import type { RunStore } from "../../store/run-store.js";

/** One call of a store, before it is made. */
export interface StoreCall {
  /** `append`, `events.read`; `begin.commit` is the commit of a transaction that `begin` gave. */
  readonly method: string;
  /** How often that method was called, this time included. */
  readonly nth: number;
  readonly args: readonly unknown[];
  /** What becomes of what it is about when it never arrives: a transaction is rolled back, else nothing. */
  readonly abandon: () => Promise<void>;
}

/** Decides what becomes of a call: `perform` makes it. */
export type AroundCall = (call: StoreCall, perform: () => Promise<unknown>) => Promise<unknown>;

/** The same store with something around each call of it, of its parts (`events`, `batches`) and of the commits of its transactions. */
export function interceptStore(store: RunStore, around: AroundCall): RunStore {
  const counts = new Map<string, number>();
  const call: Call = (method, args, perform, abandon = async () => {}) => {
    const nth = (counts.get(method) ?? 0) + 1;
    counts.set(method, nth);
    return around({ method, nth, args, abandon }, perform);
  };
  return part(store, "", call);
}

type Call = (
  method: string,
  args: readonly unknown[],
  perform: () => Promise<unknown>,
  abandon?: () => Promise<void>,
) => Promise<unknown>;

function part<Target extends object>(target: Target, path: string, call: Call): Target {
  const known = new Map<PropertyKey, unknown>();
  const seen = (name: string): unknown => {
    const member = Reflect.get(target, name) as unknown;
    if (typeof member === "object" && member !== null) return part(member, `${path}${name}.`, call);
    if (typeof member !== "function") return member;
    // Registers a listener, and is no call.
    if (name === "listen") return member.bind(target);
    const method = `${path}${name}`;
    return (...args: unknown[]) =>
      call(method, args, async () => {
        const result = (await Reflect.apply(member, target, args)) as unknown;
        return name === "begin" ? transaction(result, method, call) : result;
      });
  };
  return new Proxy(target, {
    get: (_, name) => {
      if (typeof name === "symbol") return Reflect.get(target, name);
      if (!known.has(name)) known.set(name, seen(name));
      return known.get(name);
    },
  });
}

/** Its other methods answer as they are: some of them at once. */
function transaction(given: unknown, path: string, call: Call): unknown {
  if (typeof given !== "object" || given === null) return given;
  return new Proxy(given, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== "function") return member;
      if (name !== "commit") return member.bind(target);
      const abandon = async (): Promise<void> => {
        const rollback = Reflect.get(target, "rollback") as unknown;
        if (typeof rollback === "function") await Reflect.apply(rollback, target, []);
      };
      const perform = async (args: unknown[]) => (await Reflect.apply(member, target, args)) as unknown;
      return (...args: unknown[]) => call(`${path}.commit`, args, () => perform(args), abandon);
    },
  });
}
