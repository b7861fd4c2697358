import { RuntimeError } from "../errors.js";
import { type Json, toJson } from "../json.js";
import type { Known, Refusal } from "./verdict.js";

/** A row of the table of calls, as both databases keep it. */
export interface KnownRow {
  readonly state: Known["state"];
  /** JSON text: the answer of a step that was done, the refusal of one that was refused. */
  readonly answer: string | null;
}

export function encodeKnown(known: Known): KnownRow {
  if (known.state === "done") return { state: known.state, answer: JSON.stringify(known.answer) };
  if (known.state === "refused") return { state: known.state, answer: JSON.stringify(known.refusal) };
  // An answer that nobody will hear again is not kept.
  return { state: known.state, answer: null };
}

export function decodeKnown(row: KnownRow | undefined): Known | undefined {
  if (row === undefined) return undefined;
  if (row.state === "done") return { state: "done", answer: JSON.parse(row.answer ?? "null") as Json };
  if (row.state === "refused") return { state: "refused", refusal: JSON.parse(row.answer ?? "null") as Refusal };
  return { state: "undone" };
}

/** A handler's value as its answer. Error: `internal` for one that cannot be kept; its effect is undone. */
export function toAnswer(value: unknown, key: string, maxBytes: number): Json {
  try {
    return toJson(value, `the answer to ${key}`, maxBytes);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new RuntimeError("internal", `${message}; return less, or plain JSON`, { key }, { cause });
  }
}
