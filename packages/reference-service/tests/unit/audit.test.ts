import { describe, expect, it } from "vitest";
import { auditSessions, withoutRemarks } from "../../src/infrastructure/session/audit.js";

describe("the audit of sessions", () => {
  const lines: [level: string, facts: object, message: string][] = [];
  const at = (level: string) => (facts: object, message: string) => void lines.push([level, facts, message]);
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const told = (event: Parameters<ReturnType<typeof auditSessions>>[0]) => {
    lines.length = 0;
    void auditSessions(logger)(event);
    return lines;
  };
  const happened = { at: 0, origin: {} };

  it("says who, what, when and from where", () => {
    const origin = { ip: "203.0.113.7", userAgent: "curl/8" };
    expect(told({ kind: "signed-in", id: "s", subject: "ann", level: 2, formerId: "f", at: 1_000, origin })).toEqual([
      [
        "info",
        {
          ...{ audit: true, event: "signed-in", session: "s", subject: "ann", level: 2, former_session: "f" },
          ...{ ip: "203.0.113.7", user_agent: "curl/8", at: "1970-01-01T00:00:01.000Z" },
        },
        "a subject signed in",
      ],
    ]);
    expect(told({ kind: "expired", id: "s", subject: null, expiredAt: 1_000, session: "login", ...happened })).toEqual([
      [
        "info",
        expect.objectContaining({ session: "s", session_kind: "login", expired_at: "1970-01-01T00:00:01.000Z" }),
        expect.any(String),
      ],
    ]);
  });

  it("warns of what looks like a theft", () => {
    expect(told({ kind: "reused", id: "s", subject: "ann", ...happened })[0]?.[0]).toBe("warn");
    expect(told({ kind: "guessing", unknown: 21, ...happened })[0]?.[0]).toBe("warn");
  });

  it("lets no client write a line, an escape sequence or more than it should", () => {
    const userAgent = `x\r\n{"audit":true}\u001b[31m\u2028\u202e${"y".repeat(1_000)}`;
    const [[, facts] = ["", {}]] = told({ kind: "unknown-token", wellFormed: true, at: 0, origin: { userAgent } });
    const { user_agent: written = "" } = facts as { user_agent?: string };
    expect(written).toMatch(/^[\x20-\x7e\ufffd]+$/);
    expect(written.length).toBeLessThanOrEqual(256);
  });

  it("stands for what the manager would say of each session", () => {
    lines.length = 0;
    const quiet = withoutRemarks(logger);
    for (const level of ["debug", "info", "warn", "error"] as const) quiet[level]({}, level);
    expect(lines.map(([level, , message]) => `${level} ${message}`)).toEqual([
      "debug debug",
      "debug info",
      "warn warn",
      "error error",
    ]);
  });
});
