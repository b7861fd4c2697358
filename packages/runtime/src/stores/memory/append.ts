import { encodeAppend } from "../../store/run-codec.js";
import type { Append, AppendResult } from "../../store/run-store.js";
import { deliver } from "./inbox.js";
import { put } from "./outbox.js";
import type { MemoryWorld, StoredRun } from "./world.js";

export function append(world: MemoryWorld, element: Append, now: number): AppendResult {
  const encoded = encodeAppend(element);
  const run = world.runs.get(element.run);
  const taken = run?.journal[element.seq - 1];
  if (taken?.appendId === element.appendId) return { kind: "appended", at: taken.at, parked: taken.parked };
  if (!run || run.endedAt !== null || element.fence !== run.fence || element.seq !== run.journal.length + 1)
    return { kind: "lease-lost" };

  const { change = {}, next, checkpoint } = element;
  for (const id of element.consumed ?? []) {
    const entry = run.inbox.get(id);
    if (entry) entry.consumed = true;
  }
  const parked = next.kind === "park" && [...run.inbox.values()].every((entry) => entry.consumed);
  run.journal.push({
    seq: element.seq,
    fence: element.fence,
    appendId: element.appendId,
    at: now,
    records: encoded.records,
    parked,
  });
  run.updatedAt = now;
  if (change.status) run.status = change.status;
  if (encoded.failureReason !== undefined) run.failureReason = encoded.failureReason;
  if (change.rollbackStatus) run.rollbackStatus = change.rollbackStatus;
  if (encoded.output !== undefined) run.output = encoded.output;
  let unread: boolean | undefined;
  if (checkpoint) snapshot(run, { ...checkpoint, context: encoded.context ?? "null" }, now);
  if (parked) {
    run.owner = null;
    run.crashed = false;
    run.wakeAt = next.delayMs === null ? null : now + next.delayMs;
  } else if (next.kind === "finish") {
    unread = [...run.inbox.values()].some((entry) => !entry.consumed);
    run.owner = null;
    run.wakeAt = null;
    run.endedAt = now;
    for (const entry of run.inbox.values()) entry.consumed = true;
  }
  for (const [index, message] of (element.signals ?? []).entries()) {
    const target = world.runs.get(message.run);
    if (target && target.endedAt === null) deliver(target, message, encoded.signals[index] ?? "null", now);
  }
  if (element.events) put(world.events, element.events, now);
  return unread === undefined ? { kind: "appended", at: now, parked } : { kind: "appended", at: now, parked, unread };
}

function snapshot(
  run: StoredRun,
  { n, keep, context }: { n: number; keep: number; context: string },
  at: number,
): void {
  const { fence } = run;
  const others = run.checkpoints.filter((other) => other.fence !== fence || other.n !== n);
  const all = [...others, { fence, n, seq: run.journal.length, at, context }];
  run.checkpoints = all.sort((a, b) => b.fence - a.fence || b.n - a.n).slice(0, keep);
}
