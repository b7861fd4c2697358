import { type Json, toJson } from "../../json.js";
import type { Append, AppendResult, StepTransaction } from "../../store/run-store.js";
import type { MemoryWorld } from "./world.js";

/**
 * What a step's transaction is given on the memory store: values by key, beside the runs. Writes are seen by others when the
 * step's row is. It keeps no locks: of two that write one key, the later one's value stays.
 */
export interface MemoryClient {
  get(key: string): Json | undefined;
  set(key: string, value: Json): void;
  delete(key: string): void;
}

export function begin(world: MemoryWorld, append: (element: Append) => AppendResult): StepTransaction {
  /** Undefined: deleted. */
  const writes = new Map<string, string | undefined>();
  let open = true;
  const client: MemoryClient = {
    get(key) {
      const text = writes.has(key) ? writes.get(key) : world.values.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as Json);
    },
    set: (key, value) => void writes.set(key, JSON.stringify(toJson(value, `the value of ${key}`))),
    delete: (key) => void writes.set(key, undefined),
  };
  return {
    client,
    check: () => undefined,
    async commit(element) {
      const result = open ? append(element) : { kind: "lease-lost" as const };
      open = false;
      if (result.kind !== "appended") return result;
      for (const [key, text] of writes) {
        if (text === undefined) world.values.delete(key);
        else world.values.set(key, text);
      }
      return result;
    },
    async rollback() {
      open = false;
    },
  };
}
