import { encodeSignal } from "../../store/run-codec.js";
import type { Signal, SignalResult } from "../../store/run-store.js";
import type { MemoryWorld } from "./world.js";

export function signal(world: MemoryWorld, element: Signal, now: number): SignalResult {
  const payload = encodeSignal(element);
  const run = world.runs.get(element.run);
  if (!run) return "not-found";
  if (run.inbox.has(element.id)) return "duplicate";
  if (run.endedAt !== null) return "ended";
  const { id, kind, name, actor } = element;
  run.inbox.set(id, { id, kind, name, actor, payload, at: now, consumed: false });
  if (run.owner === null) run.wakeAt = Math.min(run.wakeAt ?? now, now);
  return "accepted";
}
