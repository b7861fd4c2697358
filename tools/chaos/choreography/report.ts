import { summary } from "../report.js";
import type { ChoreographyChaosReport } from "./choreography-chaos.js";

/** That of the orchestrated chaos, and what was done to NATS. */
export function choreographySummary(report: ChoreographyChaosReport): string[] {
  const { faults, duplicates, stages } = report;
  const count = (kind: string): number => faults.get(kind) ?? 0;
  const lines = summary(report);
  const title = lines.slice(0, 1).map((line) => line.replace("chaos:", "chaos of choreography:"));
  return [
    ...title,
    ...lines.slice(1, -1),
    `  stages' runs ${stages}, events published again by hand ${duplicates}`,
    `  NATS: pauses ${count("nats-pause")}, groups deleted ${count("group-deleted")}, streams deleted ${count("stream-deleted")}`,
    `NATS kills ${count("nats-kill")}, NATS set back ${count("nats-rewind")}, ${lines.at(-1)}`,
  ];
}
