import { lastStatus } from "../oracle/seen.js";
import { itemOf } from "../participants/item-step.js";
import { summary } from "../report.js";
import type { TasksChaosReport } from "./tasks-chaos.js";

/** That of the orchestrated chaos, and what became of batches, sleepers and ticks. */
export function tasksSummary(report: TasksChaosReport): string[] {
  const { seen, shapes, heirs, repeats, retried } = report;
  const [title, ...lines] = summary(report);
  const runs = [...seen.runs.values()];
  const ends = (names: ReadonlyMap<string, unknown>): string => {
    const counts = new Map<string, number>();
    for (const run of runs) {
      if (!names.has(run.definition ?? "")) continue;
      const status = lastStatus(run) ?? "unknown";
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    return [...counts].map(([status, count]) => `${status} ${count}`).join(", ");
  };
  const itemEffects = report.events.filter((event) => event.kind === "effect" && itemOf(event.step) !== null).length;
  const slowestHeir = Math.max(0, ...heirs.map(({ ms }) => ms));
  return [
    title?.replace("chaos:", "chaos of tasks:") ?? "",
    ...lines.slice(0, -1),
    `  batches: ${ends(shapes.batches)}; effects of items ${itemEffects}, failed items listed ${[...seen.failedItems.values()].reduce((sum, { length }) => sum + length, 0)}, runs that tried them again ${retried}`,
    `  chunks left by killed instances ${heirs.length}, gone on within ${Math.round(slowestHeir)} ms; calls repeated ${repeats.calls}, in at most ${repeats.mostChunksOfAKill} chunks of a batch after one kill`,
    `  sleepers: ${ends(shapes.sleepers)}; signals ${seen.signaled.length}, of which taken ${seen.signaled.filter(({ taken }) => taken).length}; runs of schedules ${seen.scheduled.length}`,
    lines.at(-1) ?? "",
  ];
}
