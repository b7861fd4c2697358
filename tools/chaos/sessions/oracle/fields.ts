import { COUNTER, FIELDS, type SessionCallEvent, type SessionViolation } from "../session-history.js";
import type { SessionLife } from "./session-life.js";

/** What was acknowledged is read from then on, until something newer may be; increments add up. */
export function checkFields(lives: readonly SessionLife[]): SessionViolation[] {
  return lives.flatMap(({ id, created, calls }) => {
    const found: SessionViolation[] = [];
    const reads = calls.filter(({ outcome, data }) => outcome === "ok" && data !== undefined);
    for (const field of FIELDS) {
      const first: SessionCallEvent = { ...created, field, value: 0 };
      const writes = [
        first,
        ...calls.filter((call) => call.op === "write" && call.field === field && call.outcome !== "none"),
      ];
      for (const read of reads) {
        const trouble = judgeRead(read, field, writes);
        if (trouble !== null) found.push({ rule: "lost-write", session: id, message: trouble });
      }
    }
    const increments = calls.filter(({ op, outcome }) => op === "increment" && outcome !== "none");
    for (const { data, at, until } of reads) {
      const least = increments.filter((call) => call.outcome === "ok" && call.until < at).length;
      const most = increments.filter((call) => call.at < until).length;
      const count = data?.[COUNTER] ?? 0;
      if (count >= least && count <= most) continue;
      const message = `read at ${at}: ${count} increments, expected from ${least} to ${most}`;
      found.push({ rule: "lost-update", session: id, message });
    }
    return found;
  });
}

function judgeRead(read: SessionCallEvent, field: string, writes: readonly SessionCallEvent[]): string | null {
  const value = read.data?.[field];
  const place = `${read.op} at ${read.at} by ${read.instance} read ${field} = ${value}`;
  const written = writes.find((write) => write.value === value);
  if (written === undefined || written.at > read.until) return `${place}, which nobody had written`;
  const newer = writes.find((write) => write.outcome === "ok" && write.until < read.at && write.at > written.until);
  return newer === undefined ? null : `${place}, though ${newer.value} was acknowledged at ${newer.until}`;
}
