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
      const { id, name, actor, payload } = message;
      const { reason, step } = isObject(payload) ? payload : {};
      return applyVerb(plan, state, {
        ...{ name, actor, request: id, reason: typeof reason === "string" ? reason : "" },
        ...(typeof step === "string" && { step }),
      });
    }
    case "signal":
      return [recordSignal(state, message)];
    case "child":
      return [];
  }
}
