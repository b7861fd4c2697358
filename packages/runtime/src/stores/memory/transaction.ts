import type { EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { type Json, toJson } from "../../json.js";
import { checkEvents } from "../../store/event-codec.js";
import type { Append, AppendResult, StepTransaction } from "../../store/run-store.js";
import type { MemoryWorld } from "./world.js";

/**
 * What a transaction is given on the memory store: values by key, beside the runs. Writes are seen by others when the
 * transaction commits. It keeps no locks: of two that write one key, the later one's value stays.
 */
export interface MemoryClient {
  get(key: string): Json | undefined;
  set(key: string, value: Json): void;
  delete(key: string): void;
}

/** What a transaction will have done once it commits. */
export interface StagedWrites {
  readonly client: MemoryClient;
  readonly events: readonly EventMessage[];
  /** Writes the values; the events are for the caller to put. */
  apply(): void;
}

/** Where a client takes events: a member, because a handler is given a guard around its client. */
const PUT = Symbol("put");

export function stageWrites(world: MemoryWorld): StagedWrites {
  /** Undefined: deleted. */
  const writes = new Map<string, string | undefined>();
  const events: EventMessage[] = [];
  const client: MemoryClient = {
    get(key) {
      const text = writes.has(key) ? writes.get(key) : world.values.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as Json);
    },
    set: (key, value) => void writes.set(key, JSON.stringify(toJson(value, `the value of ${key}`))),
    delete: (key) => void writes.set(key, undefined),
  };
  const put = (more: readonly EventMessage[]): void => void events.push(...more);
  return {
    client: Object.assign(client, { [PUT]: put }),
    events,
    apply() {
      for (const [key, text] of writes) {
        if (text === undefined) world.values.delete(key);
        else world.values.set(key, text);
      }
    },
  };
}

/** Errors: those of `checkEvent`; `input-invalid` for what is no client of a transaction. */
export function putWithin(client: unknown, events: readonly EventMessage[]): void {
  const put = (client as { [PUT]?: (more: readonly EventMessage[]) => void } | null)?.[PUT];
  if (put === undefined) {
    const message =
      "expected the client of a transaction of a memory store, got something else; give it `client` of what `begin` gave";
    throw new RuntimeError("input-invalid", message);
  }
  put(checkEvents(events));
}

export function begin(world: MemoryWorld, append: (element: Append) => AppendResult): StepTransaction {
  const staged = stageWrites(world);
  let open = true;
  return {
    client: staged.client,
    check: () => undefined,
    async commit(element) {
      // With the row's own events, so that they are there if it is.
      const events = [...staged.events, ...(element.events ?? [])];
      const result = open ? append({ ...element, events }) : { kind: "lease-lost" as const };
      open = false;
      if (result.kind === "appended") staged.apply();
      return result;
    },
    async rollback() {
      open = false;
    },
  };
}
