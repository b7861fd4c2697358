import type { EventMessage } from "../../broker/event-message.js";
import { RuntimeError } from "../../errors.js";
import { type EncodedCreate, encodeCreate } from "../../store/run-codec.js";
import type { CreateResult, CreateRun } from "../../store/run-store.js";
import { isUuid } from "./binary-arrays.js";
import { charactersOf } from "./event-rows.js";

/** One to be created, with its payloads as text. `create` has a claim only where it may begin at once. */
export interface Prepared {
  readonly create: CreateRun;
  readonly encoded: EncodedCreate;
}

export function prepare(create: CreateRun): Prepared | CreateResult {
  try {
    const encoded = encodeCreate(create);
    if (isUuid(create.id)) return { create: beginsLater(create) ? { ...create, claim: null } : create, encoded };
    return {
      kind: "rejected",
      reason: `expected the id of a run to be a UUID in lower case, got ${create.id.slice(0, 50)}`,
    };
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "input-invalid")
      return { kind: "rejected", reason: error.message };
    throw error;
  }
}

function beginsLater({ limited, delayMs, debounce }: CreateRun): boolean {
  return limited === true || (delayMs !== undefined && delayMs > 0) || debounce !== undefined;
}

export function sizeOf({ create, encoded }: Prepared): number {
  let characters = encoded.input.length;
  for (const event of eventsOf({ create })) characters += charactersOf(event);
  return characters;
}

export function eventsOf({ create }: Pick<Prepared, "create">): readonly EventMessage[] {
  return create.events ?? NO_EVENTS;
}

const NO_EVENTS: readonly EventMessage[] = [];

/** ms; null: it is due at once. */
export function delayOf({ create: { delayMs } }: Prepared): number | null {
  return delayMs === undefined || delayMs === 0 ? null : delayMs;
}

export function isLimited({ create }: Prepared): boolean {
  return create.limited === true;
}
