import { groupedBy } from "../../grouped-by.js";
import { lossesOf, type Seen, type Violation } from "../../oracle/seen.js";
import { type ItemCall, MARKED_MS, type SeenBatch } from "./seen-batches.js";

export interface Repeats {
  /** Calls for what had been done and answered before. */
  readonly calls: number;
  /** Chunks in which that was so after the instance that had been answered was killed, at most over runs and kills. */
  readonly mostChunksOfAKill: number;
}

/** A caller reads an answer within that, unless something was done to it, ms. */
const READ_MS = 1_000;

/** What was done and answered is asked for again only if whoever was answered was lost: then at most a chunk of each of its slots. */
export function checkRepeats(seen: Seen, batches: readonly SeenBatch[]): { violations: Violation[]; repeats: Repeats } {
  const violations: Violation[] = [];
  let [calls, most] = [0, 0];
  for (const batch of batches) {
    const { run, shape } = batch;
    const repeated = repeatedOf(batch);
    calls += repeated.length;
    for (const [instance, of] of groupedBy(repeated, ({ first }) => first.event.instance)) {
      const chunks = new Set(of.map(({ first }) => first.chunk));
      const at = batch.calls.find(({ event }) => event.instance === instance)?.event.at ?? 0;
      const losses = lossesOf(seen, instance, at - MARKED_MS, of.at(-1)?.again.event.at ?? at);
      const lost = losses.length;
      if (lost === 1 && losses[0]?.fault === "kill") most = Math.max(most, chunks.size);
      if (!batch.isChunkedAsRead || chunks.size <= lost * shape.concurrency) continue;
      const message = `${chunks.size} chunks that ${instance} had worked were repeated, expected at most ${lost * shape.concurrency}: it was lost ${lost} times`;
      violations.push({ rule: "repeated", run: run.id, message });
    }
  }
  return { violations, repeats: { calls, mostChunksOfAKill: most } };
}

interface Repeated {
  readonly first: ItemCall;
  readonly again: ItemCall;
}

function repeatedOf({ calls }: SeenBatch): Repeated[] {
  const groups = groupedBy(calls, ({ event }) => event.key);
  return [...groups.values()].flatMap((of) => {
    const first = of.find(({ answer }) => answer?.event.status === 200);
    if (first === undefined || first.answer === null) return [];
    const answered = first.answer;
    // Who answers when its caller has given up is not heard.
    if (answered.event.at - first.event.at > READ_MS) return [];
    return of
      .filter(({ order, answer }) => order > answered.order && answer?.event.why !== "stale-fence")
      .map((again) => ({ first, again }));
  });
}
