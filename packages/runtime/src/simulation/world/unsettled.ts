import type { MemoryWorld } from "../../stores/memory/world.js";

/** What has neither ended nor been parked for good, for people; empty when all is settled. */
export function unsettled(world: MemoryWorld, leftAlone: ReadonlySet<string>): string {
  const open = [...world.runs.values()].filter(({ id, endedAt, status, owner }) => {
    const parked = (status === "stuck" || status === "paused") && owner === null;
    return endedAt === null && !(leftAlone.has(id) && parked);
  });
  return open
    .map(({ id, status, owner, wakeAt, journal }) =>
      [
        `run ${id} is ${status} for good`,
        `owner ${owner}`,
        `wakes at ${wakeAt}`,
        ...journal.slice(-3).map((row) => row.records),
      ].join("; "),
    )
    .join("\n");
}
