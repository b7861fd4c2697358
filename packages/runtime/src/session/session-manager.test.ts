import { describe, expect, it, onTestFinished } from "vitest";
import type { LimitsConfig } from "../config.js";
import { MAX_DATA_BYTES } from "../store/session-data.js";
import { createMemorySessionStore } from "../stores/memory/session-store.js";
import type { Intercept } from "../testing/intercept-session-store.test.support.js";
import { openSessionInstances, SESSION_CONFIG, SESSION_STORES } from "../testing/session-instances.test.support.js";
import { createSessionManager, type SessionManagerOptions } from "./session-manager.js";
import { readToken } from "./token.js";

const NOT_FOUND = { code: "session-not-found" };
const INVALID = { code: "input-invalid" };
const ORIGIN = { ip: "192.0.2.1", userAgent: "test" };

describe.each(SESSION_STORES)("session manager over %s", (kind) => {
  describe("creating and loading", () => {
    it("gives a session and its token, and leads back to it by both", async () => {
      const { manager, events, clock } = await setUp(kind);
      const device = { ip: "192.0.2.1", userAgent: "test", label: "work" };
      const signIn = { level: 2, methods: ["pwd", "otp"], at: clock.now() - 5 };
      const request = { subject: "alice", data: { cart: [] }, ttlMs: 500, lifetimeMs: 600, device, signIn };
      const { session, token } = await manager.create(request, ORIGIN);
      expect(session).toMatchObject({
        kind: "login",
        subject: "alice",
        data: { cart: [] },
        revision: 1,
        device,
        signIn,
      });
      expect(session.expiresAt - session.createdAt).toBe(500);
      expect(await manager.load(token)).toEqual(session);
      expect(await manager.get(session.id)).toEqual(session);
      const told = { kind: "created", id: session.id, subject: "alice", at: clock.now(), origin: ORIGIN };
      expect(events).toEqual([told]);
    });

    it("creates an empty anonymous session by default, with the configured idle time", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create();
      const nothing = { subject: null, signIn: null, device: null };
      expect(session.data).toEqual({});
      expect(session).toMatchObject({ ...nothing, expiresAt: session.createdAt + 1_000 });
    });

    it("ends a session at a lifetime shorter than the configured idle time", async () => {
      const { manager, clock } = await setUp(kind);
      const { session, token } = await manager.create({ lifetimeMs: 300 });
      expect(session.expiresAt).toBe(session.createdAt + 300);
      clock.advance(299);
      expect(await manager.load(token)).toBeDefined();
      clock.advance(1);
      expect(await manager.load(token)).toBeUndefined();
    });

    it("shows callers neither token nor hash nor what only the store needs", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create();
      const shown = [
        "createdAt",
        "data",
        "device",
        "expiresAt",
        "id",
        "kind",
        "revision",
        "signIn",
        "subject",
        "touchedAt",
      ];
      expect(Object.keys(session).sort()).toEqual(shown);
    });

    it("touches on load: activity carries a session to its absolute lifetime and no further", async () => {
      const { manager, clock } = await setUp(kind);
      const { session, token } = await manager.create();
      for (let elapsedMs = 500; elapsedMs < 10_000; elapsedMs += 500) {
        clock.advance(500);
        expect((await manager.load(token))?.touchedAt).toBe(clock.now());
      }
      expect((await manager.get(session.id))?.expiresAt).toBe(session.createdAt + 10_000);
      clock.advance(500);
      expect(await manager.load(token)).toBeUndefined();
      expect(await manager.get(session.id)).toBeUndefined();
    });

    it("asks the store once per load", async () => {
      const calls: string[] = [];
      const { manager } = await setUp(kind, {}, (method, call) => {
        calls.push(method);
        return call();
      });
      const { token } = await manager.create();
      calls.length = 0;
      await manager.load(token);
      expect(calls).toEqual(["load"]);
    });

    it("refuses what is out of bounds, and stores nothing of it", async () => {
      const { manager, events } = await setUp(kind);
      for (const subject of ["", "x".repeat(257), "a\0b", "\ud800", 7 as never])
        await expect(manager.create({ subject })).rejects.toMatchObject(INVALID);
      for (const ms of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 10_001, "5" as never]) {
        await expect(manager.create({ ttlMs: ms })).rejects.toMatchObject(INVALID);
        await expect(manager.create({ lifetimeMs: ms })).rejects.toMatchObject(INVALID);
      }
      await expect(manager.create({ ttlMs: 501, lifetimeMs: 500 })).rejects.toMatchObject(INVALID);
      await expect(manager.create({ signIn: { level: 0 } })).rejects.toMatchObject(INVALID);
      await expect(manager.create({ device: { ip: "x".repeat(65) } })).rejects.toMatchObject(INVALID);
      const broken = [[1], "text", JSON.parse('{"__proto__":1}'), { a: { constructor: 1 } }, { a: "\0" }, { a: 1n }];
      for (const data of broken as never[]) await expect(manager.create({ data })).rejects.toMatchObject(INVALID);
      const tooLarge = { a: "x".repeat(MAX_DATA_BYTES.login) };
      await expect(manager.create({ data: tooLarge })).rejects.toMatchObject({ code: "payload-too-large" });
      expect((await manager.list({})).items).toEqual([]);
      expect(events).toEqual([]);
      expect((await manager.create({ subject: "x".repeat(256), ttlMs: 10_000 })).session.subject).toHaveLength(256);
    });
  });

  describe("limits", () => {
    it("let the oldest session of the subject make room, and tell of it", async () => {
      const { manager, clock, events } = await setUp(kind, { limits: { perSubject: 2 } });
      const made = [];
      for (let n = 0; n < 3; n += 1) {
        made.push(await manager.create({ subject: "ann" }, ORIGIN));
        clock.advance(1);
      }
      const [oldest, ...rest] = made;
      expect(events.map(({ kind }) => kind)).toEqual(["created", "created", "evicted", "created"]);
      expect(events[2]).toMatchObject({ id: oldest?.session.id, subject: "ann", origin: ORIGIN });
      expect(await manager.load(oldest?.token ?? "")).toBeUndefined();
      for (const { token } of rest) expect(await manager.load(token)).toBeDefined();
    });

    it("refuse one more when they deny, tell of it, and are each subject's own", async () => {
      const { manager, events } = await setUp(kind, { limits: { perSubject: 1, policy: "deny" } });
      const first = await manager.create({ subject: "ann" });
      const refused = { code: "session-limit-reached", details: { max: 1 } };
      await expect(manager.create({ subject: "ann" }, ORIGIN)).rejects.toMatchObject(refused);
      expect(events.at(-1)).toMatchObject({ kind: "limit-reached", subject: "ann", max: 1, origin: ORIGIN });
      expect(await manager.load(first.token)).toBeDefined();
      for (let n = 0; n < 3; n += 1) await manager.create();
      await manager.create({ subject: "bob" });
      await manager.destroy(first.session.id);
      expect(await manager.create({ subject: "ann" })).toBeDefined();
    });

    it("hold for 50 logins at once on two instances", async () => {
      for (const policy of ["deny", "evict-oldest"] as const) {
        const { manager, other } = await setUp(kind, { limits: { perSubject: 3, policy } });
        const logins = Array.from({ length: 50 }, (_, n) => (n % 2 ? manager : other).create({ subject: "ann" }));
        await Promise.allSettled(logins);
        expect((await manager.list({ subject: "ann" })).items).toHaveLength(3);
      }
    });
  });

  describe("ending and listing", () => {
    it("ends a session once, and tells of it once", async () => {
      const { manager, other, events } = await setUp(kind);
      const { session, token } = await manager.create({ subject: "ann" });
      expect(await other.destroy(session.id, ORIGIN)).toBe(true);
      expect(await manager.destroy(session.id)).toBe(false);
      expect(events.slice(1)).toMatchObject([{ kind: "revoked", id: session.id, subject: "ann", origin: ORIGIN }]);
      expect(await manager.load(token)).toBeUndefined();
      await expect(manager.rotate(token)).rejects.toMatchObject(NOT_FOUND);
    });

    it("ends every session of a subject on every instance, but the one it is told to keep", async () => {
      const { manager, other, events } = await setUp(kind);
      const kept = await manager.create({ subject: "alice" });
      const ended = [await manager.create({ subject: "alice" }), await other.create({ subject: "alice" })];
      const bob = await manager.create({ subject: "bob" });
      expect(await manager.revokeSubject("alice", kept.session.id, ORIGIN)).toBe(2);
      const told = { kind: "subject-revoked", subject: "alice", sessions: 2, origin: ORIGIN };
      expect(events.at(-1)).toMatchObject(told);
      for (const { token } of ended) expect(await other.load(token)).toBeUndefined();
      for (const { token } of [kept, bob]) expect(await other.load(token)).toBeDefined();
      expect(await manager.revokeSubject("alice")).toBe(1);
      const again = await manager.create({ subject: "alice" });
      expect(await manager.load(again.token)).toBeDefined();
    });

    it("ends every session of everybody", async () => {
      const { manager, other, events } = await setUp(kind);
      const made = [await manager.create({ subject: "alice" }), await other.create()];
      expect(await manager.revokeAll(ORIGIN)).toBe(2);
      expect(events.at(-1)).toMatchObject({ kind: "all-revoked", sessions: 2, origin: ORIGIN });
      for (const { token } of made) expect(await other.load(token)).toBeUndefined();
    });

    it("lists in pages of 50 by default, newest first, by subject, and hides contexts", async () => {
      const { manager, store, clock } = await setUp(kind);
      for (let n = 0; n < 52; n += 1) {
        await manager.create({ subject: n % 2 ? "odd" : "even", data: { n } });
        clock.advance(1);
      }
      const context = { id: "run:1", kind: "context", tokenHash: null, subject: null } as const;
      await store.create({ ...context, data: {}, idleMs: 1_000, absoluteMs: null });
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
      for (const subject of ["", undefined as never])
        await expect(manager.revokeSubject(subject)).rejects.toMatchObject(INVALID);
    });
  });

  it("logs and tells the life of a session by its id, and never a token, its hash or its secret", async () => {
    const limits = { perSubject: 1 };
    const { manager, clock, logged, events } = await setUp(kind, { limits, rotation: { periodMs: 100, graceMs: 100 } });
    const tokens: string[] = [];
    const { session, token: first } = await manager.create({ subject: "alice" });
    tokens.push(first);
    await manager.load(first);
    clock.advance(100);
    const resumed = (await manager.resume(first)) as { readonly token: string };
    tokens.push(resumed.token);
    tokens.push((await manager.rotate(resumed.token)).token);
    tokens.push((await manager.stepUp(tokens.at(-1) as string, { level: 2 })).token);
    await manager.rotate(first).catch(() => undefined);
    await manager.update(session.id, { a: 1 });
    tokens.push((await manager.signIn(tokens.at(-1), { subject: "alice" })).token);
    const evictor = await manager.create({ subject: "alice" });
    tokens.push(evictor.token, (await manager.rotate(evictor.token, 10)).token);
    clock.advance(10);
    await manager.load(evictor.token);
    await manager.revokeSubject("alice");
    await manager.revokeAll();
    const kinds = new Set(events.map((event) => event.kind));
    const all = ["created", "rotated", "stepped-up", "signed-in", "evicted", "reused", "unknown-token"];
    for (const told of [...all, "subject-revoked", "all-revoked"]) expect(kinds).toContain(told);
    const text = JSON.stringify([logged, events]);
    expect(text).toContain(session.id);
    expect(logged.length).toBe(events.length);
    for (const token of tokens) {
      const { hash } = readToken(token) as { readonly hash: string };
      for (const secret of [token, token.slice(36), hash, hash.slice(0, 24)]) expect(text).not.toContain(secret);
    }
    expect(JSON.stringify(logged)).not.toContain("alice");
    // Anybody can send them, in any number.
    const unknown = logged.filter(({ message }) => message === "unknown session token");
    expect(new Set(unknown.map(({ level }) => level))).toEqual(new Set(["debug"]));
  });

  it("puts no token into an error", async () => {
    const { manager } = await setUp(kind);
    const { token } = await manager.create();
    await manager.rotate(token);
    const error = (await manager.rotate(token).catch((reason: unknown) => reason)) as Error & { details: object };
    const text = `${error.message} ${error.stack} ${JSON.stringify(error.details)}`;
    for (const secret of [token, token.slice(36)]) expect(text).not.toContain(secret);
  });

  it("opens twice as once, sweeps in the background, and after close answers nothing and leaves no timer", async () => {
    const { manager, store, clock, events } = await setUp(kind);
    await manager.open();
    expect(clock.pending).toBe(2);
    const { session } = await manager.create();
    clock.advance(120_000);
    for (let n = 0; n < 10; n += 1) await manager.ping();
    expect(events).toContainEqual(expect.objectContaining({ kind: "expired", id: session.id, session: "login" }));
    clock.advance(120_000);
    expect(await store.sweep(10, 1)).toEqual([]);
    await manager.close();
    await manager.close();
    expect(clock.pending).toBe(1);
    await expect(manager.create()).rejects.toMatchObject({ code: "store-unavailable" });
  });
});

describe("session manager", () => {
  it("closes when the listener is done with what it was told", async () => {
    let finish = (): void => {};
    const done = new Promise<void>((resolve) => (finish = resolve));
    const { manager } = await setUp("memory", { events: () => done });
    await manager.create();
    let isClosed = false;
    const closing = manager.close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    finish();
    await closing;
  });

  it("refuses a config that contradicts itself, naming the key", () => {
    const refusals: readonly (readonly [Partial<SessionManagerOptions>, string])[] = [
      [{ config: { ...SESSION_CONFIG, ttlMs: 10_001 } }, "session.context.ttlMs"],
      [{ rotation: { periodMs: 0 } }, "session.rotation.periodMs"],
      [{ rotation: { periodMs: 99, graceMs: 100 } }, "session.rotation.periodMs"],
      [{ rotation: { periodMs: Number.NaN } }, "session.rotation.periodMs"],
      [{ rotation: { graceMs: 0 } }, "session.rotation.graceMs"],
      ...[0, 1.5, -1, Number.NaN, "2" as never].map(
        (perSubject) => [{ limits: { perSubject } }, "session.limits.perSubject"] as const,
      ),
      [{ limits: { policy: "allow" as LimitsConfig["policy"] } }, "session.limits.policy"],
    ];
    for (const [options, key] of refusals) {
      const refused = { code: "config-invalid", details: { key } };
      const make = () =>
        createSessionManager({ store: createMemorySessionStore(), config: SESSION_CONFIG, ...options });
      expect(make, JSON.stringify(options)).toThrow(expect.objectContaining(refused));
    }
  });

  it("says so when the random source repeats itself, instead of handing out a taken id", async () => {
    const { store, clock } = await setUp("memory");
    const random = { float: () => 0.5, bytes: (length: number) => new Uint8Array(length).fill(7) };
    const manager = createSessionManager({ store, config: SESSION_CONFIG, ports: { clock, random } });
    await manager.create();
    await expect(manager.create()).rejects.toMatchObject({ code: "internal" });
  });
});

async function setUp(
  kind: (typeof SESSION_STORES)[number],
  options: Partial<SessionManagerOptions> = {},
  intercept?: Intercept,
) {
  const instances = await openSessionInstances(kind, intercept, options);
  onTestFinished(instances.close);
  return instances;
}
