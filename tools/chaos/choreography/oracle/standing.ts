import type { RunRow } from "@clean-arch/runtime";
import type { Violation } from "../../oracle/seen.js";

/** How things stand when all had its time: what must be over by then. */
export interface Standing {
  /** All runs that have not ended, stages' runs among them. */
  readonly open: readonly Pick<RunRow, "id" | "rootId" | "definition" | "status">[];
  /** Events in the outbox that the relay has not brought to the broker. */
  readonly relayLag: number;
  /** Events that the broker holds and nobody has handled; null: there is no group. */
  readonly groupLag: number | null;
  /** Events that the broker never took. */
  readonly parked: readonly string[];
  /** Instances whose readiness is not up. */
  readonly unready: readonly string[];
}

const PARKED: ReadonlySet<string> = new Set(["stuck", "paused"]);

/** Nothing of an ended run goes on, what is parked is seen at the run, and no event and no instance is left behind. */
export function checkStanding({ open, relayLag, groupLag, parked, unready }: Standing): Violation[] {
  const broken = (rule: string, run: string | null, message: string): Violation => ({ rule, run, message });
  const violations = checkStages(open, broken);
  if (relayLag > 0) violations.push(broken("relay lag", null, `${relayLag} events have not left the outbox`));
  if (groupLag === null) violations.push(broken("group lag", null, "the broker has no group of the service"));
  else if (groupLag > 0) violations.push(broken("group lag", null, `${groupLag} events were never handled`));
  for (const event of parked) violations.push(broken("parked event", null, `${event} was never taken by the broker`));
  for (const name of unready) violations.push(broken("readiness", null, `${name} is not ready`));
  return violations;
}

function checkStages(
  open: Standing["open"],
  broken: (rule: string, run: string, message: string) => Violation,
): Violation[] {
  const roots = new Map(open.filter(({ id, rootId }) => id === rootId).map((root) => [root.id, root]));
  const stages = open.filter(({ id, rootId }) => id !== rootId);
  const parkedRoots = new Set(stages.filter(({ status }) => PARKED.has(status)).map(({ rootId }) => rootId));
  return [
    ...stages.flatMap(({ rootId, definition, status }) => {
      const root = roots.get(rootId);
      if (root === undefined) return [broken("stage left", rootId, `it has ended, and its ${definition} is ${status}`)];
      if (!PARKED.has(status) || PARKED.has(root.status)) return [];
      return [broken("silently parked", rootId, `it is ${root.status}, and its ${definition} is ${status}`)];
    }),
    ...[...roots.values()]
      .filter(({ id, status }) => status === "stuck" && !parkedRoots.has(id))
      .map(({ id }) => broken("stuck without cause", id, "it is stuck, and none of its stages is")),
  ];
}
