import { isStale, lossesOf, type Seen, type SeenRun, type Violation } from "../../oracle/seen.js";
import { MARKED_MS } from "./seen-batches.js";

/** Runs that are under way at once, from the first call of each to the answer of its last one, are no more than their queue lets through. */
export function checkQueues(seen: Seen, limits: ReadonlyMap<string, number>): Violation[] {
  return [...limits].flatMap(([definition, limit]) => {
    const spans = [...seen.runs.values()].flatMap((run) => (run.definition === definition ? spanOf(seen, run) : []));
    const crowded = spans.find((span) => runsAt(spans, span.from).length > limit);
    if (crowded === undefined) return [];
    const runs = runsAt(spans, crowded.from).map(({ run }) => run);
    const message = `${runs.length} runs of "${definition}" were under way at once, expected at most ${limit}: ${runs.join(", ")}`;
    return [{ rule: "queue", run: crowded.run, message }];
  });
}

interface Span {
  readonly run: string;
  /** Places in the history. */
  readonly from: number;
  readonly to: number;
}

const runsAt = (spans: readonly Span[], order: number): Span[] =>
  spans.filter(({ from, to }) => from <= order && order <= to);

/** One that was parked meanwhile had given its place away, and is left out; so are calls of owners that may have been replaced. */
function spanOf(seen: Seen, run: SeenRun): Span[] {
  const isParked = run.told.some(({ event }) => event.status === "stuck" || event.status === "paused");
  if (isParked || run.verbs.some(({ verb }) => verb === "pause")) return [];
  const calls = run.calls.filter(
    (call) =>
      !isStale(call) && lossesOf(seen, call.event.instance, call.event.at - MARKED_MS, call.event.at).length === 0,
  );
  const [first, last] = [calls[0], calls.at(-1)];
  return first === undefined || last === undefined ? [] : [{ run: run.id, from: first.order, to: last.order }];
}
