import { encodeSignal } from "../../store/run-codec.js";
import { MAX_UNREAD, type Signal, type SignalResult } from "../../store/run-store.js";
import type { MemoryWorld, StoredRun } from "./world.js";

export function signal(world: MemoryWorld, element: Signal, now: number): SignalResult {
  const payload = encodeSignal(element);
  const run = world.runs.get(element.run);
  if (!run) return "not-found";
  if (run.inbox.has(element.id)) return "duplicate";
  if (run.endedAt !== null) return "ended";
  if ([...run.inbox.values()].filter((entry) => !entry.consumed).length >= MAX_UNREAD) return "full";
  deliver(run, element, payload, now);
  return "accepted";
}

/** Into the inbox of a run that has not ended, unless it is there already; the run is woken. */
export function deliver(run: StoredRun, { id, kind, name, actor }: Signal, payload: string, now: number): void {
  if (run.inbox.has(id)) return;
  run.inbox.set(id, { id, kind, name, actor, payload, at: now, consumed: false });
  const isNew = run.status === "pending";
  if (isNew && kind === "verb") {
    run.called = true;
    // What comes after an operator's wish is another run's.
    run.debounced = null;
  }
  if (run.owner === null && (!isNew || kind === "verb")) run.wakeAt = Math.min(run.wakeAt ?? now, now);
}
