import { isObject, type Json } from "../json.js";
import type { RunPlan } from "./plan.js";
import type { JournalRecord } from "./records.js";
import { recordSignal } from "./signals.js";
import type { RunState } from "./state.js";
import { applyVerb } from "./verbs.js";

/** A message as it lies in the run's inbox. */
export interface Message {
  readonly id: string;
  readonly kind: "verb" | "signal" | "child";
  readonly name: string;
  readonly payload: Json;
  readonly actor: string;
  /** Store's clock, ms since the epoch. */
  readonly at: number;
}

/** The records that take a message in. Pure; the caller folds them. */
export function applyMessage(plan: RunPlan, state: RunState, message: Message): JournalRecord[] {
  switch (message.kind) {
    case "verb": {
      const { name, actor, payload } = message;
      const reason = isObject(payload) && typeof payload["reason"] === "string" ? payload["reason"] : "";
      return applyVerb(plan, state, { name, actor, reason });
    }
    case "signal":
      return [recordSignal(state, message)];
    case "child":
      return [];
  }
}
