import type { ChildEndPayload } from "../engine/messages.js";
import { batchClosing, batchRound } from "../engine/steps/batch.js";
import type { Json } from "../json.js";
import type { BatchProgress } from "../store/batch-store.js";
import type { Signal } from "../store/run-store.js";

/**
 * What its run is told of a batch that has halted, or ended: as a parent is told of the end of a child. Whoever of its steps waits for it takes
 * it: the one that opened the batch, in this round, or its compensation. Told again it is one message.
 */
export function messagesOfEnd(progress: BatchProgress, definition: string, round: number): readonly Signal[] {
  const { run, status, done, failed, skipped, failure } = progress;
  const message = (end: ChildEndPayload): Signal => ({
    ...{ run, id: `end:${end.run}`, name: definition, actor: `batch ${run}`, kind: "child" },
    payload: end as unknown as Json,
  });
  const child = batchRound(run, round);
  if (status === "halted") return [message({ run: child, status: "failed", output: null, error: failure })];
  if (status !== "ended") return [];
  const output = { items: done + failed + skipped, done, failed, skipped };
  return [
    message({ run: child, status: "completed", output, error: null }),
    message({ run: batchClosing(run), status: "cancelled", output: null, error: null }),
  ];
}

/** Of a round that cannot go on here, though the batch has not halted: its run is parked, and with it the batch. */
export function messageOfFailure(
  { run, definition, round }: { readonly run: string; readonly definition: string; readonly round: number },
  error: NonNullable<BatchProgress["failure"]>,
): Signal {
  const child = batchRound(run, round);
  const end: ChildEndPayload = { run: child, status: "failed", output: null, error };
  const payload = end as unknown as Json;
  return { run, id: `end:${child}`, name: definition, actor: `batch ${run}`, kind: "child", payload };
}
