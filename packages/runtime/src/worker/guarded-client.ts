import { RuntimeError } from "../errors.js";

export interface GuardedClient {
  readonly client: unknown;
  /** From here on every use of the client throws. */
  end(): void;
}

/**
 * The same client for as long as its transaction is open. A callback that was cut short, or forgot to await something,
 * would otherwise go on with a connection that serves somebody else by then.
 */
export function guardClient(client: unknown): GuardedClient {
  if (typeof client !== "object" || client === null) return { client, end: () => {} };
  let ended = false;
  const check = (): void => {
    if (!ended) return;
    const message = "expected the transaction's client to be used within its callback, got a use after its end";
    throw new RuntimeError("definition-invalid", message);
  };
  const guarded = new Proxy(client, {
    get(target, name) {
      check();
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        check();
        return Reflect.apply(value, target, args);
      };
    },
  });
  return {
    client: guarded,
    end: () => {
      ended = true;
    },
  };
}
