import type { SessionChaosReport } from "./session-chaos.js";

/** Violations that are shown at most, and calls of a session's history. */
const MAX_VIOLATIONS = 10;
const MAX_CALLS = 60;

export function sessionSummary(report: SessionChaosReport): string[] {
  const { seed, lengthMs, persistence, history, faults, swallowed, violations } = report;
  const { calls, expired, contexts } = history;
  const count = (kind: string): number => faults.get(kind) ?? 0;
  const of = (op: string): number => calls.filter((call) => call.op === op && call.outcome === "ok").length;
  const unknown = calls.filter(({ outcome }) => outcome === "unknown").length;
  const minutes = (lengthMs / 60_000).toFixed(1);
  return [
    `chaos of sessions: seed ${seed}, ${minutes} minutes, persistence ${persistence}`,
    `  network: replies swallowed ${swallowed}, resets ${count("reset")}, fallen silent ${count("silence")}, slow ${count("slow")}; pauses of Redis ${count("pause")}`,
    `  sessions ${of("create")}, writes ${of("write")}, increments ${of("increment")}, rotations ${of("rotate")}, logouts ${of("destroy")}, of all of a subject's ${of("revokeSubject")}, expiries told ${expired.length}, contexts ${contexts.length}`,
    `kills of instances ${count("kill")}, Redis restarts ${history.redisKills.length}, operations ${calls.length}, of unknown outcome ${unknown}, violations ${violations.length}`,
  ];
}

/** Each violation with what was seen of its session. */
export function sessionOffenses({ history, violations }: SessionChaosReport): string[] {
  const told = new Set<string>();
  const lines = violations.slice(0, MAX_VIOLATIONS).flatMap(({ rule, session, message }) => {
    const head = `${rule}: ${session === null ? "" : `${session} `}${message}`;
    if (session === null || told.has(session)) return [head];
    told.add(session);
    const own = history.calls.filter((call) => call.session === session);
    const subject = own[0]?.subject;
    const seen = [
      ...history.calls
        .filter(
          (call) =>
            call.session === session ||
            (call.session === null && call.subject === subject && call.op === "revokeSubject"),
        )
        .map(({ session: _, subject: __, ...call }) => ({ at: call.at, line: JSON.stringify(call) })),
      ...history.expired
        .filter((one) => one.session === session)
        .map((one) => ({ at: one.at, line: `expired ${JSON.stringify(one)}` })),
      ...history.redisKills.map((at) => ({ at, line: "Redis was killed" })),
    ].sort((a, b) => a.at - b.at);
    return [head, ...seen.slice(-MAX_CALLS).map(({ at, line }) => `    ${at.toFixed(1)} ${line}`)];
  });
  const rules = new Map<string, number>();
  for (const { rule } of violations) rules.set(rule, (rules.get(rule) ?? 0) + 1);
  return [...lines, `violated rules: ${[...rules].map(([rule, n]) => `${rule} ${n}`).join(", ")}`];
}
