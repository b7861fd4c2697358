import { describe, expect, it } from "vitest";
import type { SessionCallEvent, SessionHistory, SessionPromises } from "../session-history.js";
import { judgeSessions } from "./oracle.js";

const PROMISES: SessionPromises = { persistence: "everysec", absoluteMs: 10_000, perSubject: 2 };

type Told = Partial<SessionCallEvent> & Pick<SessionCallEvent, "op">;

/** Calls one after the other, 10 ms each, with 10 ms between them, unless a time is given. */
function broken(
  told: readonly Told[],
  more: Partial<SessionHistory> = {},
  promises: Partial<SessionPromises> = {},
): string[] {
  const calls = told.map((call, n): SessionCallEvent => {
    const at = call.at ?? n * 20;
    const until = call.outcome === "unknown" ? Number.POSITIVE_INFINITY : at + 10;
    const read =
      ["load", "get", "resume"].includes(call.op) && call.outcome !== "none" ? { data: { f0: 0, f1: 0, f2: 0 } } : {};
    return { instance: "1.1", subject: "s", session: "a", outcome: "ok", ...read, at, until, ...call };
  });
  const expired = [{ session: "a", at: 5_000, expiredAt: 5_000 }];
  const none = { contexts: [], subjects: [], living: [], errors: [], redisKills: [] };
  const history = { calls, expired, ...none, ...more };
  return [...new Set(judgeSessions(history, { ...PROMISES, ...promises }).map(({ rule }) => rule))];
}

const create: Told = { op: "create", createdAt: 5, expiresAt: 5_000, newToken: "t1" };
const data = (f0: number, n = 0) => ({ data: { f0, f1: 0, f2: 0, n } });

describe("a history without fault", () => {
  it.each<[string, Told[]]>([
    ["of reads and writes", [create, { op: "write", field: "f0", value: 1 }, { op: "load", token: "t1", ...data(1) }]],
    [
      "of a write that may have been",
      [
        create,
        { op: "write", field: "f0", value: 1, outcome: "unknown" },
        { op: "get", ...data(0) },
        { op: "get", ...data(1) },
      ],
    ],
    [
      "of a rotation with grace",
      [
        create,
        { op: "rotate", token: "t1", newToken: "t2", graceMs: 100 },
        { op: "resume", token: "t1", newToken: "t2" },
        { op: "load", token: "t2" },
      ],
    ],
    [
      "of increments",
      [
        create,
        { op: "increment" },
        { op: "increment", outcome: "unknown" },
        { op: "get", ...data(0, 1) },
        { op: "get", ...data(0, 2) },
      ],
    ],
  ])("breaks no rule: one %s", (_, told) => {
    expect(broken(told)).toEqual([]);
  });

  it("breaks no rule when it ends in any way", () => {
    const dead: Told[] = [{ op: "get", outcome: "none" }];
    expect(broken([create, { op: "destroy" }, ...dead], { expired: [] })).toEqual([]);
    expect(broken([create, { op: "revokeSubject", session: null }, ...dead], { expired: [] })).toEqual([]);
    expect(broken([create, { op: "get", at: 5_001, outcome: "none" }])).toEqual([]);
    const newer = ["b", "c"].map((session): Told => ({ ...create, session, newToken: session }));
    const expired = ["b", "c"].map((session) => ({ session, at: 6_000, expiredAt: 5_000 }));
    expect(broken([create, ...newer, ...dead], { expired })).toEqual([]);
    expect(broken([create, ...dead], { expired: [], redisKills: [15] }, { persistence: "none" })).toEqual([]);
  });
});

describe("the oracle shows", () => {
  it("an acknowledged write that is lost, in a crash or by another write", () => {
    expect(broken([create, { op: "write", field: "f0", value: 1 }, { op: "get", ...data(0) }])).toEqual(["lost-write"]);
    const both: Told[] = [create, { op: "write", field: "f0", value: 1 }, { op: "write", field: "f0", value: 2 }];
    expect(broken([...both, { op: "get", ...data(1) }])).toEqual(["lost-write"]);
    expect(broken([create, { op: "get", ...data(7) }])).toEqual(["lost-write"]);
    expect(broken([create, { op: "increment" }, { op: "get", ...data(0, 0) }])).toEqual(["lost-update"]);
    expect(broken([create, { op: "increment" }, { op: "get", ...data(0, 2) }])).toEqual(["lost-update"]);
  });

  it("a session that is gone, and nobody ended it", () => {
    const gone: Told[] = [create, { op: "get", outcome: "none" }];
    expect(broken(gone, { expired: [] })).toEqual(["lost", "expiry-untold"]);
    expect(broken(gone, { redisKills: [15] })).toEqual(["lost"]);
    expect(broken([create, { op: "load", token: "t1", outcome: "none" }])).toEqual(["token-refused"]);
  });

  it("a session that is live after its end", () => {
    expect(broken([create, { op: "destroy" }, { op: "load", token: "t1" }], { expired: [] })).toEqual(["resurrected"]);
    expect(broken([create, { op: "revokeSubject", session: null }, { op: "get" }], { expired: [] })).toEqual([
      "resurrected",
    ]);
    expect(broken([create, { op: "get", at: 5_001, outcome: "none" }, { op: "get", at: 5_100 }])).toEqual([
      "resurrected",
    ]);
    expect(broken([create, { op: "get", at: 5_100 }])).toEqual(["resurrected"]);
    const last = [{ session: "a", at: 20_000, expiredAt: 10_005 }];
    expect(broken([create, { op: "get", at: 10_100 }], { expired: last })).toEqual(["beyond-deadline"]);
    const killed = { expired: [], redisKills: [15] };
    const returned: Told[] = [create, { op: "get", outcome: "none" }, { op: "get" }];
    expect(broken(returned, killed, { persistence: "none" })).toEqual(["resurrected"]);
  });

  it("a token that is taken after its grace, or replaced twice", () => {
    const rotated: Told[] = [create, { op: "rotate", token: "t1", newToken: "t2", graceMs: 50 }];
    expect(broken([...rotated, { op: "load", token: "t1", at: 100 }])).toEqual(["old-token"]);
    expect(broken([...rotated, { op: "resume", token: "t1", newToken: "t3" }])).toEqual(["two-successors"]);
  });

  it("an expiry that nobody was told of, or of a session that is live, or had been revoked", () => {
    expect(broken([create], { expired: [] })).toEqual(["expiry-untold"]);
    expect(broken([create], { expired: [{ session: "a", at: 3_000, expiredAt: 3_000 }] })).toEqual(["expired-early"]);
    expect(broken([create, { op: "destroy" }])).toEqual(["revoked-expired"]);
  });

  it("more sessions than a subject may have, a list that disagrees, contexts that are lost or nobody's, other errors", () => {
    expect(broken([create, { op: "list", session: null, ids: ["a", "b", "c"] }])).toEqual(["cap"]);
    expect(broken([create], { subjects: [{ subject: "s", listed: ["a"], live: [] }] })).toEqual(["list"]);
    expect(broken([create], { subjects: [{ subject: "s", listed: [], live: ["a"] }] })).toEqual(["list"]);
    expect(broken([create], { contexts: [{ id: "run:1", owner: null }] })).toEqual(["context-lost"]);
    expect(broken([create], { contexts: [{ id: "run:1", owner: "1.1" }], living: ["1.2"] })).toEqual(["context-left"]);
    expect(broken([create], { errors: ["internal: a script failed"] })).toEqual(["error"]);
  });
});
