import type { Event } from "./history.js";
import type { Journals, Takeover } from "./oracle/journal.js";
import { lastStatus, type Seen, type Violation } from "./oracle/seen.js";

export interface ChaosReport {
  readonly seed: number;
  readonly lengthMs: number;
  readonly instances: number;
  /** What makes the clocks wrong. */
  readonly clocks: string;
  readonly events: readonly Event[];
  readonly seen: Seen;
  readonly journals: Journals;
  /** The runs of each run's stages, where they have their own. */
  readonly stagesOf?: ReadonlyMap<string, readonly string[]>;
  readonly faults: ReadonlyMap<string, number>;
  readonly terminated: number;
  readonly swallowed: number;
  readonly takeovers: readonly Takeover[];
  readonly leaseMs: number;
  /** What a takeover may take beyond the lease. */
  readonly takeoverSlackMs: number;
  readonly violations: readonly Violation[];
}

/** Of a run that broke a rule, what is shown at most. */
const MAX_VIOLATIONS = 10;

export function summary(report: ChaosReport): string[] {
  const { seed, lengthMs, instances, clocks, seen, faults, terminated, swallowed, takeovers, violations } = report;
  const count = (kind: string): number => faults.get(kind) ?? 0;
  const calls = report.events.filter(({ kind }) => kind === "call").length;
  const effects = report.events.filter(({ kind }) => kind === "effect").length;
  const rows = [...report.journals.values()].reduce((sum, { length }) => sum + length, 0);
  const ends = new Map<string, number>();
  for (const run of seen.runs.values()) {
    const status = lastStatus(run) ?? "unknown";
    ends.set(status, (ends.get(status) ?? 0) + 1);
  }
  const slowestLast = [...takeovers].sort((a, b) => a.ms - b.ms);
  const at = (share: number): number =>
    Math.round(slowestLast[Math.min(slowestLast.length - 1, Math.floor(slowestLast.length * share))]?.ms ?? 0);
  const beyondMs = Math.max(0, at(1) - report.leaseMs);
  const worst = slowestLast.at(-1);
  const where = worst === undefined ? "" : `, from ${worst.instance}${worst.outage ? " over a restart" : ""}`;
  return [
    `chaos: seed ${seed}, ${(lengthMs / 60_000).toFixed(1)} minutes, ${instances} instances, clocks skewed by ${clocks}`,
    `  processes: stops beyond the lease ${count("stop")}, event-loop stalls ${count("stall")}, clock jumps ${count("skew")}`,
    `  network: replies swallowed ${swallowed}, partitions ${count("partition")}, resets ${count("reset")}, fallen silent ${count("silence")}, slow ${count("slow")}; backends terminated ${terminated}`,
    `  runs ${seen.runs.size}: ${[...ends]
      .sort()
      .map(([end, n]) => `${end} ${n}`)
      .join(", ")}`,
    `  calls ${calls}, effects ${effects}, journal rows ${rows}`,
    `  takeovers ${takeovers.length}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms, counted from when the owner was lost, or PostgreSQL was back`,
    `kills ${count("kill")}, PostgreSQL restarts ${count("restart")}, violations ${violations.length}, worst takeover ${beyondMs} ms beyond the lease${where} (${report.takeoverSlackMs} ms are allowed)`,
  ];
}

/** Each violation with the history of its run, as the participants, the clients and the journal have it. */
export function offenses(report: ChaosReport): string[] {
  const shown = report.violations.slice(0, MAX_VIOLATIONS);
  const told = new Set<string>();
  const lines = shown.flatMap(({ rule, run, message }) => {
    const head = `${rule}: ${run === null ? "" : `run ${run} `}${message}`;
    if (run === null || told.has(run)) return [head];
    told.add(run);
    return [head, ...historyOf(report, run).map((line) => `    ${line}`)];
  });
  const hidden = report.violations.length - shown.length;
  const rules = new Map<string, number>();
  for (const { rule } of report.violations) rules.set(rule, (rules.get(rule) ?? 0) + 1);
  const all = `violated rules: ${[...rules].map(([rule, n]) => `${rule} ${n}`).join(", ")}`;
  return [...lines, ...(hidden > 0 ? [`... and ${hidden} more`] : []), all];
}

function historyOf({ events, journals, stagesOf, seen }: ChaosReport, run: string): string[] {
  const calls = new Set(events.flatMap((event) => (event.kind === "call" && event.run === run ? [event.call] : [])));
  const seenEvents = events.flatMap((event) => {
    const isOfRun = "run" in event ? event.run === run : event.kind === "answer" && calls.has(event.call);
    if (!isOfRun) return [];
    const { kind, at, ...rest } = event;
    return [{ at, line: `${kind} ${JSON.stringify(rest)}` }];
  });
  const rowsOf = (id: string, name: string) =>
    (journals.get(id) ?? []).map(({ seq, fence, at, records }) => ({
      at,
      line: `${name}row ${seq} fence ${fence} ${JSON.stringify(records)}`,
    }));
  const rows = [...rowsOf(run, ""), ...(stagesOf?.get(run) ?? []).flatMap((id) => rowsOf(id, `${id.slice(-12)} `))];
  const all = [...seenEvents, ...rows];
  const [from, to] = [Math.min(...all.map(({ at }) => at)), Math.max(...all.map(({ at }) => at))];
  const instances = new Set(
    events.flatMap((event) => (event.kind === "call" && event.run === run ? [event.instance] : [])),
  );
  const faults = seen.faults
    .filter(
      ({ at, until, instance }) =>
        at < to && until > from && (instance === null || instance === "NATS" || instances.has(instance)),
    )
    .filter(({ fault }) => fault !== "swallow" && fault !== "skew")
    .map(({ fault, at, until, instance }) => ({ at, line: `fault ${fault} ${instance ?? ""} for ${until - at} ms` }));
  return [...all, ...faults].sort((a, b) => a.at - b.at).map(({ at, line }) => `${at - from} ms ${line}`);
}
