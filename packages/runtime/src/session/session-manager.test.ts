import { describe, expect, it, onTestFinished } from "vitest";
import { MAX_DATA_BYTES } from "../store/session-data.js";
import { createMemorySessionStore } from "../stores/memory/session-store.js";
import type { Intercept } from "../testing/intercept-session-store.test.support.js";
import { openSessionInstances, SESSION_CONFIG } from "../testing/session-instances.test.support.js";
import { createSessionManager } from "./session-manager.js";
import { hashToken } from "./token.js";

const NOT_FOUND = { code: "session-not-found" };
const INVALID = { code: "input-invalid" };

describe.each(["memory", "sqlite"] as const)("session manager over %s", (kind) => {
  describe("creating and loading", () => {
    it("gives a session and its token, and leads back to it by both", async () => {
      const { manager } = await setUp(kind);
      const { session, token } = await manager.create({ subject: "alice", data: { cart: [] }, ttlMs: 500 });
      expect(session).toMatchObject({ kind: "login", subject: "alice", data: { cart: [] }, revision: 1 });
      expect(session.expiresAt - session.createdAt).toBe(500);
      expect(await manager.load(token)).toEqual(session);
      expect(await manager.get(session.id)).toEqual(session);
    });

    it("creates an empty anonymous session by default, with the configured idle time", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create();
      expect(session).toMatchObject({ subject: null, data: {}, expiresAt: session.createdAt + 1_000 });
    });

    it("shows callers neither token nor hash nor deadlines of the store", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create();
      expect(Object.keys(session).sort()).toEqual([
        "createdAt",
        "data",
        "expiresAt",
        "id",
        "kind",
        "revision",
        "subject",
      ]);
    });

    it("touches on load: activity carries a session to its absolute lifetime and no further", async () => {
      const { manager, clock } = await setUp(kind);
      const { session, token } = await manager.create();
      for (let elapsedMs = 500; elapsedMs < 10_000; elapsedMs += 500) {
        clock.advance(500);
        expect(await manager.load(token)).toBeDefined();
      }
      expect((await manager.get(session.id))?.expiresAt).toBe(session.createdAt + 10_000);
      clock.advance(500);
      expect(await manager.load(token)).toBeUndefined();
      expect(await manager.get(session.id)).toBeUndefined();
    });

    it("asks the store once per load, and never for a text that cannot be a token", async () => {
      const calls: string[] = [];
      const { manager } = await setUp(kind, (method, call) => {
        calls.push(method);
        return call();
      });
      const { token } = await manager.create();
      calls.length = 0;
      await manager.load(token);
      expect(calls).toEqual(["load"]);
      for (const text of [
        "",
        "x",
        token.slice(1),
        `${token}x`,
        "A".repeat(10_000),
        `é${token.slice(1)}`,
        undefined,
        null,
        1,
        [token],
      ]) {
        expect(await manager.load(text as string)).toBeUndefined();
        await expect(manager.rotate(text as string)).rejects.toMatchObject(NOT_FOUND);
      }
      expect(calls).toEqual(["load"]);
    });

    it("takes a well-formed token that was never issued for no session", async () => {
      const { manager } = await setUp(kind);
      expect(await manager.load("A".repeat(43))).toBeUndefined();
      await expect(manager.rotate("A".repeat(43))).rejects.toMatchObject(NOT_FOUND);
    });

    it("refuses subjects, data and idle times out of bounds", async () => {
      const { manager } = await setUp(kind);
      for (const subject of ["", "x".repeat(257), "a\0b", "\ud800", 7 as never]) {
        await expect(manager.create({ subject })).rejects.toMatchObject(INVALID);
      }
      for (const ttlMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 10_001, "5" as never]) {
        await expect(manager.create({ ttlMs })).rejects.toMatchObject(INVALID);
      }
      for (const data of [
        [1],
        "text",
        JSON.parse('{"__proto__":1}'),
        { a: { constructor: 1 } },
        { a: "\0" },
        { a: 1n },
      ] as never[]) {
        await expect(manager.create({ data })).rejects.toMatchObject(INVALID);
      }
      const tooLarge = { a: "x".repeat(MAX_DATA_BYTES.login) };
      await expect(manager.create({ data: tooLarge })).rejects.toMatchObject({ code: "payload-too-large" });
      expect((await manager.list({})).items).toEqual([]);
      expect((await manager.create({ subject: "x".repeat(256), ttlMs: 10_000 })).session.subject).toHaveLength(256);
    });
  });

  describe("rotating", () => {
    it("hands out a new token and kills the old one at once", async () => {
      const { manager } = await setUp(kind);
      const { session, token } = await manager.create({ data: { a: 1 } });
      const rotated = await manager.rotate(token);
      expect(rotated.token).not.toBe(token);
      expect(rotated.session).toMatchObject({ id: session.id, data: { a: 1 }, revision: 1 });
      expect(await manager.load(token)).toBeUndefined();
      expect(await manager.load(rotated.token)).toMatchObject({ id: session.id });
      await expect(manager.rotate(token)).rejects.toMatchObject(NOT_FOUND);
    });

    it("keeps the old token for loading through its grace, not for rotating", async () => {
      const { manager, clock } = await setUp(kind);
      const { session, token } = await manager.create();
      const rotated = await manager.rotate(token, 200);
      clock.advance(199);
      expect(await manager.load(token)).toMatchObject({ id: session.id });
      await expect(manager.rotate(token, 200)).rejects.toMatchObject(NOT_FOUND);
      clock.advance(1);
      expect(await manager.load(token)).toBeUndefined();
      expect(await manager.load(rotated.token)).toMatchObject({ id: session.id });
    });

    it("lets one of many concurrent rotations win", async () => {
      const { manager, other } = await setUp(kind);
      const { token } = await manager.create();
      const attempts = Array.from({ length: 20 }, (_, n) => (n % 2 ? manager : other).rotate(token));
      const results = await Promise.allSettled(attempts);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject(NOT_FOUND);
    });

    it("refuses a grace that is no time", async () => {
      const { manager } = await setUp(kind);
      const { token } = await manager.create();
      for (const graceMs of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        await expect(manager.rotate(token, graceMs)).rejects.toMatchObject(INVALID);
      }
      expect(await manager.load(token)).toBeDefined();
    });
  });

  describe("ending and listing", () => {
    it("ends a session once", async () => {
      const { manager, other } = await setUp(kind);
      const { session, token } = await manager.create();
      expect(await other.destroy(session.id)).toBe(true);
      expect(await manager.destroy(session.id)).toBe(false);
      expect(await manager.load(token)).toBeUndefined();
      await expect(manager.rotate(token)).rejects.toMatchObject(NOT_FOUND);
    });

    it("ends every session of a subject on every instance, those created meanwhile too", async () => {
      const { manager, other } = await setUp(kind);
      const before = [await manager.create({ subject: "alice" }), await other.create({ subject: "alice" })];
      const bob = await manager.create({ subject: "bob" });
      const revoking = manager.revokeSubject("alice");
      const during = Promise.all([manager.create({ subject: "alice" }), other.create({ subject: "alice" })]);
      expect(await revoking).toBe(4);
      for (const { token } of [...before, ...(await during)]) expect(await other.load(token)).toBeUndefined();
      expect(await other.load(bob.token)).toBeDefined();
      const again = await manager.create({ subject: "alice" });
      expect(await manager.load(again.token)).toBeDefined();
    });

    it("lists in pages of 50 by default, newest first, by subject, and hides contexts", async () => {
      const { manager, store, clock } = await setUp(kind);
      for (let n = 0; n < 52; n += 1) {
        await manager.create({ subject: n % 2 ? "odd" : "even", data: { n } });
        clock.advance(1);
      }
      await store.create({
        id: "run:1",
        kind: "context",
        tokenHash: null,
        subject: null,
        data: {},
        idleMs: 1_000,
        absoluteMs: null,
      });
      const first = await manager.list({});
      expect(first.items.map(({ data }) => data.n)).toEqual(Array.from({ length: 50 }, (_, n) => 51 - n));
      const second = await manager.list({ cursor: first.nextCursor as string });
      expect(second.items.map(({ data }) => data.n)).toEqual([1, 0]);
      expect(second.nextCursor).toBeNull();
      expect((await manager.list({ subject: "odd", limit: 200 })).items).toHaveLength(26);
      expect((await manager.list({ kind: "context" })).items.map(({ id }) => id)).toEqual(["run:1"]);
    });

    it("refuses limits, cursors and subjects out of bounds", async () => {
      const { manager } = await setUp(kind);
      for (const limit of [0, 201, -1, 1.5, Number.NaN])
        await expect(manager.list({ limit })).rejects.toMatchObject(INVALID);
      await expect(manager.list({ cursor: "x" })).rejects.toMatchObject(INVALID);
      await expect(manager.list({ subject: "\ud800" })).rejects.toMatchObject(INVALID);
      await expect(manager.revokeSubject("")).rejects.toMatchObject(INVALID);
    });
  });

  it("logs the life of a session by its id, and never a token or its hash", async () => {
    const { manager, logged } = await setUp(kind);
    const { session, token } = await manager.create({ subject: "alice" });
    await manager.load(token);
    const rotated = await manager.rotate(token, 100);
    await manager.rotate(token).catch(() => undefined);
    await manager.update(session.id, { a: 1 });
    await manager.destroy(session.id);
    await manager.revokeSubject("alice");
    const text = JSON.stringify(logged);
    expect(text).toContain(session.id);
    expect(logged).toHaveLength(4);
    for (const secret of [token, rotated.token]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(hashToken(secret));
    }
  });

  it("puts no token into an error", async () => {
    const { manager } = await setUp(kind);
    const { token } = await manager.create();
    await manager.rotate(token);
    const error = (await manager.rotate(token).catch((reason: unknown) => reason)) as Error & { details: object };
    expect(`${error.message} ${error.stack} ${JSON.stringify(error.details)}`).not.toContain(token);
  });

  it("opens twice as once, sweeps in the background, and after close answers nothing and leaves no timer", async () => {
    const { manager, store, clock, logged } = await setUp(kind);
    await manager.open();
    expect(clock.pending).toBe(2);
    const { session } = await manager.create();
    clock.advance(120_000);
    await manager.ping();
    expect(logged).toContainEqual({
      level: "info",
      facts: { sessionId: session.id, kind: "login" },
      message: "session expired",
    });
    expect(await store.sweep(10)).toEqual([]);
    await manager.close();
    await manager.close();
    expect(clock.pending).toBe(1);
    await expect(manager.create()).rejects.toMatchObject({ code: "store-unavailable" });
  });
});

describe("session manager", () => {
  it("refuses an idle time beyond the absolute lifetime, naming the key", () => {
    const config = { ...SESSION_CONFIG, ttlMs: 10_001 };
    const refused = { code: "config-invalid", details: { key: "session.context.ttlMs" } };
    expect(() => createSessionManager({ store: createMemorySessionStore(), config })).toThrow(
      expect.objectContaining(refused),
    );
  });

  it("says so when the random source repeats itself, instead of handing out a taken token", async () => {
    const { store, clock } = await setUp("memory");
    const random = { float: () => 0.5, bytes: (length: number) => new Uint8Array(length).fill(7) };
    const manager = createSessionManager({ store, config: SESSION_CONFIG, ports: { clock, random } });
    await manager.create();
    clock.advance(1);
    await expect(manager.create()).rejects.toMatchObject({ code: "internal" });
  });
});

async function setUp(kind: "memory" | "sqlite", intercept?: Intercept) {
  const instances = await openSessionInstances(kind, intercept);
  onTestFinished(instances.close);
  return instances;
}
