import type { JournalRow } from "../engine/records.js";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { MAX_UNREAD, type RunStore } from "../store/run-store.js";

/** What an operator wants of a run, on its way into the run's inbox. */
export interface Wish {
  readonly run: string;
  /** The same again is the same wish. */
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  readonly actor: string;
  readonly payload: Json;
}

/** Errors: `input-invalid`, `verb-forbidden`, `run-not-found`, `inbox-full`. */
export async function sendWish(
  { store, poke }: { readonly store: RunStore; readonly poke: (run: string) => void },
  { run, id, name, reason, actor, payload }: Wish,
): Promise<void> {
  checkReason(reason);
  const [result] = await store.signal([{ run, id, kind: "verb", name, payload, actor }]);
  if (result === "ended") throw forbidden(run, name, "the run has ended");
  if (result === "not-found")
    throw new RuntimeError("run-not-found", `expected the id of a run, got ${JSON.stringify(run.slice(0, 100))}`);
  if (result === "full")
    throw new RuntimeError(
      "inbox-full",
      `expected fewer than ${MAX_UNREAD} unread messages of run ${run}, got as many`,
    );
  if (result === "rejected")
    throw new RuntimeError(
      "input-invalid",
      "expected an actor and an idempotency key that the store takes, got an empty one or one with a NUL character",
    );
  poke(run);
}

export function checkReason(reason: string): void {
  if (reason.trim() !== "" && reason.length <= 500) return;
  throw new RuntimeError("input-invalid", `expected a reason of 1 to 500 characters, got ${reason.length}`);
}

/** What the journal says became of the wish; undefined: nothing yet. */
export function answerTo(id: string, rows: readonly JournalRow[]) {
  return rows.flatMap((row) => row.records).find((record) => "request" in record && record.request === id);
}

export function forbidden(run: string, verb: string, why: string): RuntimeError {
  return new RuntimeError("verb-forbidden", `the run cannot ${verb}: ${why}`, { run, verb });
}
