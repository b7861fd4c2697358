import type { QueueView } from "../saga/manager.js";
import type { QueueLimit } from "../store/queue-limit.js";
import type { RunStore } from "../store/run-store.js";

/** Limited queues, each with its limits. */
export async function queueViews(
  store: Pick<RunStore, "queues">,
  limits: readonly QueueLimit[],
): Promise<readonly QueueView[]> {
  if (limits.length === 0) return [];
  const states = await store.queues(limits);
  return states.map((state, index) => ({ ...(limits[index] as QueueLimit), ...state }));
}
