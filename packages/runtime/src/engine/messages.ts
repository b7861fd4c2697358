import { isObject, type Json } from "../json.js";
import { recordHeartbeat } from "./heartbeat.js";
import { observe, type UnitEvent } from "./observe.js";
import type { RunPlan } from "./plan.js";
import type { EndStatus, Failure, JournalRecord } from "./records.js";
import { applyRestore, RESTORE } from "./restore.js";
import { recordSignal } from "./signals.js";
import type { RunState } from "./state.js";
import { applyVerb } from "./verbs.js";

/** A message as it lies in the run's inbox. */
export interface Message {
  readonly id: string;
  readonly kind: "verb" | "signal" | "child" | "event" | "heartbeat";
  readonly name: string;
  readonly payload: Json;
  readonly actor: string;
  /** Store's clock, ms since the epoch. */
  readonly at: number;
}

/** What a child run tells its parent when it ends. */
export interface ChildEndPayload {
  readonly run: string;
  readonly status: EndStatus;
  readonly output: Json;
  readonly error: Failure | null;
}

/** The records that take a message in. Pure; the caller folds them. */
export function applyMessage(plan: RunPlan, state: RunState, message: Message): JournalRecord[] {
  switch (message.kind) {
    case "verb": {
      const { id, name, actor, payload } = message;
      if (name === RESTORE) return [applyRestore(plan, state, { actor, request: id, payload })];
      const { reason, step } = isObject(payload) ? payload : {};
      return applyVerb(plan, state, {
        ...{ name, actor, request: id, reason: typeof reason === "string" ? reason : "" },
        ...(typeof step === "string" && { step }),
      });
    }
    case "signal":
      return [recordSignal(state, message)];
    case "child":
      return endOfChild(message);
    case "heartbeat":
      return state.phase === "ended" ? [] : recordHeartbeat(message.payload);
    case "event":
      return observe(plan, state, message.payload as unknown as UnitEvent);
  }
}

/** Written by this runtime, in the row that ended the child; what is not of that shape comes from nobody. */
function endOfChild({ payload }: Message): JournalRecord[] {
  if (!isObject(payload) || typeof payload.run !== "string") return [];
  const { run, status, output = null, error = null } = payload as unknown as ChildEndPayload;
  return [
    {
      ...{ kind: "child-ended", child: run, status },
      ...(output !== null && { output }),
      ...(error !== null && { error }),
    },
  ];
}
