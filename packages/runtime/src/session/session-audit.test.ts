import { getEventListeners } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Logger } from "../log.js";
import type { ExpiredSession } from "../store/session-store.js";
import { createManualClock } from "../testing/manual-clock.js";
import { LISTENER_WAIT_MS, SessionAudit } from "./session-audit.js";
import type { SessionEvent, SessionListener } from "./session-events.js";

const CREATED = { kind: "created", id: "s1", subject: "ann" } as const;
const never = new Promise<void>(() => {});

describe("a listener of session events", () => {
  it("is told who and when, with a bounded origin", () => {
    const told: SessionEvent[] = [];
    const { audit, clock } = setUp((event) => void told.push(event));
    audit.tell(CREATED, { ip: "192.0.2.1", userAgent: "x\n".repeat(1_000) });
    audit.tell(CREATED);
    const event = { ...CREATED, at: clock.now() };
    expect(told).toEqual([
      { ...event, origin: { ip: "192.0.2.1", userAgent: "x ".repeat(256) } },
      { ...event, origin: {} },
    ]);
  });

  it("fails no call: what it throws or rejects with is logged, by event and session", async () => {
    const failure = new Error("down");
    const listeners: SessionListener[] = [
      () => {
        throw failure;
      },
      () => Promise.reject(failure),
    ];
    for (const listener of listeners) {
      const { audit, logged } = setUp(listener);
      audit.tell(CREATED);
      await turn();
      const facts = { err: failure, event: "created", sessionId: "s1" };
      expect(logged).toContainEqual(["error", facts, "the listener of session events failed"]);
    }
  });

  it("is not waited for, until the close, and then for a bounded time", async () => {
    const { audit, clock } = setUp(() => never);
    audit.tell(CREATED);
    const closing = audit.settled();
    let isClosed = false;
    void closing.then(() => {
      isClosed = true;
    });
    clock.advance(LISTENER_WAIT_MS - 1);
    await turn();
    expect(isClosed).toBe(false);
    clock.advance(1);
    await closing;
    expect(clock.pending).toBe(0);
  });

  it("is waited for at the close no longer than it takes", async () => {
    let finish = (): void => {};
    const { audit, clock } = setUp(() => new Promise((resolve) => (finish = resolve)));
    audit.tell(CREATED);
    const closing = audit.settled();
    finish();
    await closing;
    expect(clock.pending).toBe(0);
  });

  it("that hangs costs nothing that grows: a thousand events are waited for, those after them are not", async () => {
    let finish = (): void => {};
    const first = new Promise<void>((resolve) => (finish = resolve));
    let told = 0;
    const { audit, clock } = setUp(() => (++told <= 1_000 ? first : never));
    for (let n = 0; n < 2_000; n += 1) audit.tell(CREATED);
    const closing = audit.settled();
    finish();
    await closing;
    expect(told).toBe(2_000);
    expect(clock.pending).toBe(0);
  });
});

describe("telling of expired sessions", () => {
  it("gives those which the listener confirmed, and logs them alone as expired", async () => {
    const { audit, logged } = setUp(async (event) => {
      if ("id" in event && event.id !== "s2") return;
      throw new Error("no");
    });
    const stop = signal();
    const confirmed = await audit.tellExpired([expired("s1"), expired("s2"), expired("s3")], stop);
    expect(confirmed.map(({ id }) => id)).toEqual(["s1", "s3"]);
    expect(getEventListeners(stop, "abort")).toEqual([]);
    const told = logged.filter(([, , message]) => message === "session expired");
    expect(told.map(([, facts]) => facts)).toEqual([
      { sessionId: "s1", kind: "login" },
      { sessionId: "s3", kind: "login" },
    ]);
    expect(logged.filter(([level]) => level === "error")).toHaveLength(1);
  });

  it("says whose session it was, of which kind, and when it ended", async () => {
    const told: SessionEvent[] = [];
    const { audit, clock } = setUp((event) => void told.push(event));
    await audit.tellExpired([{ ...expired("run:1"), kind: "context" }], signal());
    const event = { kind: "expired", id: "run:1", subject: "ann", expiredAt: 7, session: "context" };
    expect(told).toEqual([{ ...event, at: clock.now(), origin: {} }]);
  });

  it("confirms all where nobody listens", async () => {
    const { audit } = setUp(undefined);
    expect(await audit.tellExpired([expired("s1")], signal())).toEqual([expired("s1")]);
  });

  it("waits for a listener that hangs for a bounded time, and says so", async () => {
    const { audit, clock, logged } = setUp((event) => ("id" in event && event.id === "s1" ? never : undefined));
    const telling = audit.tellExpired([expired("s1"), expired("s2")], signal());
    await turn();
    clock.advance(LISTENER_WAIT_MS);
    expect((await telling).map(({ id }) => id)).toEqual(["s2"]);
    expect(logged.at(-1)).toMatchObject(["warn", { sessions: 1, waitedMs: LISTENER_WAIT_MS }, expect.anything()]);
    expect(clock.pending).toBe(0);
  });

  it("gives up waiting when it is stopped, and takes no confirmation after that", async () => {
    let finish = (): void => {};
    const { audit, clock } = setUp(() => new Promise((resolve) => (finish = resolve)));
    const stop = new AbortController();
    const telling = audit.tellExpired([expired("s1")], stop.signal);
    stop.abort();
    const confirmed = await telling;
    finish();
    await turn();
    expect(confirmed).toEqual([]);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
    expect(clock.pending).toBe(0);
    expect(await audit.tellExpired([expired("s1")], stop.signal)).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

function expired(id: string): ExpiredSession {
  return { id, kind: "login", subject: "ann", expiredAt: 7 };
}

function signal(): AbortSignal {
  return new AbortController().signal;
}

function setUp(listener: SessionListener | undefined) {
  const clock = createManualClock();
  const logged: (readonly [level: string, facts: object, message: string])[] = [];
  const log = (level: string) => (facts: object, message: string) => void logged.push([level, facts, message]);
  const logger: Logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  return { audit: new SessionAudit(listener, logger, clock), clock, logged };
}
