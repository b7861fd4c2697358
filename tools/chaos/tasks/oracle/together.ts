import type { Seen, Violation } from "../../oracle/seen.js";
import { type ItemCall, isByOwner, type SeenBatch } from "./seen-batches.js";

/** Share of a call's timeout within which its caller cannot have given it up. */
const SURELY_WAITING = 0.6;

/** Items are under way at once as many as the batch allows chunks, over all instances that are in order; and none once it was told ended or paused. */
export function checkTogether(seen: Seen, batches: readonly SeenBatch[]): Violation[] {
  return batches.flatMap((batch) => {
    const calls = batch.calls.filter((call) => isByOwner(seen, call));
    return [...atOnce(seen, batch, calls), ...afterEnd(batch, calls), ...whilePaused(batch, calls)];
  });
}

function atOnce(seen: Seen, { run, shape }: SeenBatch, calls: readonly ItemCall[]): Violation[] {
  const surelyMs = seen.timeoutMs * SURELY_WAITING;
  for (const [place, call] of calls.entries()) {
    const { at } = call.event;
    const items = new Set([call.item]);
    for (let before = place - 1; before >= 0; before--) {
      const other = calls[before];
      if (other === undefined || at - other.event.at > surelyMs) break;
      const isOpen = other.answer === null || other.answer.order > call.order;
      if (isOpen && isByOwner(seen, other, at)) items.add(other.item);
    }
    if (items.size > shape.concurrency) {
      const message = `${items.size} items were under way at once, expected at most ${shape.concurrency}: ${[...items].join(", ")}`;
      return [{ rule: "concurrency", run: run.id, message }];
    }
  }
  return [];
}

const ENDED = new Set(["completed", "failed", "cancelled", "compensated"]);

function afterEnd({ run }: SeenBatch, calls: readonly ItemCall[]): Violation[] {
  const end = run.told.find(({ event }) => ENDED.has(event.status));
  const late = end === undefined ? undefined : calls.find(({ order }) => order > end.order);
  if (end === undefined || late === undefined) return [];
  const message = `told ${end.event.status}, and ${late.event.instance} called for "${late.event.step}" after that`;
  return [{ rule: "after the end", run: run.id, message }];
}

/** Chunks that were under way when it was paused are finished, and no others are begun. */
function whilePaused({ run, shape, isChunkedAsRead }: SeenBatch, calls: readonly ItemCall[]): Violation[] {
  if (!isChunkedAsRead) return [];
  return pauses(run).flatMap(({ from, to }) => {
    const chunks = new Set(calls.filter(({ order }) => order > from && order < to).map(({ chunk }) => chunk));
    if (chunks.size <= shape.concurrency) return [];
    const message = `${chunks.size} chunks were worked while it was told paused, expected at most ${shape.concurrency} that were under way`;
    return [{ rule: "paused", run: run.id, message }];
  });
}

/** From one answer to the question of the last one, all of which say so, and nobody let it go on between. */
function pauses({ told, verbs }: SeenBatch["run"]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  let open: { from: number; to: number; at: number } | null = null;
  for (const { event, order } of told) {
    const { at, asked, status } = event;
    const isLed =
      open !== null && verbs.some((verb) => verb.at > (open?.at ?? 0) && verb.at < at && verb.verb !== "pause");
    if (status === "paused" && open !== null && !isLed) open.to = asked;
    else {
      if (open !== null) found.push(open);
      open = status === "paused" ? { from: order, to: order, at } : null;
    }
  }
  return open === null ? found : [...found, open];
}
