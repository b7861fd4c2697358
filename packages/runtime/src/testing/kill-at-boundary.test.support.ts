import type { RunStore } from "../store/run-store.js";

/** A side of a store's write: the `call`-th of the process, before it is made or after it was acknowledged. */
export interface Boundary {
  readonly call: number;
  readonly side: "before" | "after";
}

/**
 * A store whose process kills itself with SIGKILL at one boundary of the journal: at a write that creates, claims or
 * appends something. Without a boundary it only counts.
 */
export function killAtBoundary(
  store: RunStore,
  boundary: Boundary | null,
): { readonly store: RunStore; readonly writes: () => number } {
  let writes = 0;
  const guarded = async <Result>(
    write: () => Promise<Result>,
    isWrite: (result: Result) => boolean,
  ): Promise<Result> => {
    const call = writes + 1;
    if (boundary?.side === "before" && call === boundary.call) process.kill(process.pid, "SIGKILL");
    const result = await write();
    if (!isWrite(result)) return result;
    writes = call;
    if (boundary?.side === "after" && call === boundary.call) process.kill(process.pid, "SIGKILL");
    return result;
  };
  const wrapped = new Proxy(store, {
    get(target, name: keyof RunStore) {
      if (name === "create")
        return (runs: Parameters<RunStore["create"]>[0]) =>
          guarded(
            () => target.create(runs),
            () => true,
          );
      if (name === "append")
        return (appends: Parameters<RunStore["append"]>[0]) =>
          guarded(
            () => target.append(appends),
            () => true,
          );
      // Polling claims nothing most of the time: that is no write.
      if (name === "claim") return claim(target);
      const value: unknown = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  function claim(target: RunStore): RunStore["claim"] {
    return async (request) => {
      const claimed = await target.claim(request);
      return claimed.length === 0
        ? claimed
        : guarded(
            async () => claimed,
            () => true,
          );
    };
  }
  return { store: wrapped, writes: () => writes };
}
