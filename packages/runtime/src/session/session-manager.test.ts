import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../config.js";
import type { Json } from "../json.js";
import type { Logger } from "../log.js";
import { systemPorts } from "../ports.js";
import { MAX_DATA_BYTES } from "../store/session-data.js";
import type { SessionStore } from "../store/session-store.js";
import { createMemorySessionStore } from "../stores/memory/session-store.js";
import { createSqliteSessionStore } from "../stores/sqlite/session-store.js";
import { type Intercept, interceptSessionStore } from "../testing/intercept-session-store.js";
import { Interleaving } from "../testing/interleaving.js";
import { createManualClock } from "../testing/manual-clock.js";
import type { SessionManager } from "./manager.js";
import { createSessionManager } from "./session-manager.js";
import { hashToken } from "./token.js";

const CONFIG = { ...DEFAULT_CONFIG.context, ttlMs: 1_000, absoluteTtlMs: 10_000 };
const NOT_FOUND = { code: "session-not-found" };
const INVALID = { code: "input-invalid" };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

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
      expect(Object.keys(session).sort()).toEqual(["createdAt", "data", "expiresAt", "id", "kind", "revision", "subject"]);
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
      const { manager } = await setUp(kind, (method, call) => (calls.push(method), call()));
      const { token } = await manager.create();
      calls.length = 0;
      await manager.load(token);
      expect(calls).toEqual(["load"]);
      for (const text of ["", "x", token.slice(1), `${token}x`, "A".repeat(10_000), `é${token.slice(1)}`, undefined, null, 1, [token]]) {
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
      for (const data of [[1], "text", JSON.parse('{"__proto__":1}'), { a: { constructor: 1 } }, { a: "\0" }, { a: 1n }] as never[]) {
        await expect(manager.create({ data })).rejects.toMatchObject(INVALID);
      }
      const tooLarge = { a: "x".repeat(MAX_DATA_BYTES.login) };
      await expect(manager.create({ data: tooLarge })).rejects.toMatchObject({ code: "payload-too-large" });
      expect((await manager.list({})).items).toEqual([]);
      expect((await manager.create({ subject: "x".repeat(256), ttlMs: 10_000 })).session.subject).toHaveLength(256);
    });
  });

  describe("updating", () => {
    it("merges a patch: null removes, objects merge, everything else replaces", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create({ data: { a: 1, b: { c: 1, d: { e: 1 } }, f: [1, 2], g: 1 } });
      const updated = await manager.update(session.id, { a: null, b: { c: null, d: { x: 2 } }, f: [3], h: "new" });
      expect(updated.data).toEqual({ b: { d: { e: 1, x: 2 } }, f: [3], g: 1, h: "new" });
      expect(updated.revision).toBe(2);
      expect(await manager.get(session.id)).toEqual(updated);
    });

    it("writes in one store call when no object is merged, and not at all when nothing changes", async () => {
      const calls: string[] = [];
      const { manager } = await setUp(kind, (method, call) => (calls.push(method), call()));
      const { session } = await manager.create({ data: { a: { b: 1 } } });
      calls.length = 0;
      await manager.update(session.id, { x: 1, y: null, z: [] });
      expect(calls.splice(0)).toEqual(["commit"]);
      expect((await manager.update(session.id, { a: { b: 1 } })).revision).toBe(2);
      expect((await manager.update(session.id, {})).revision).toBe(2);
      expect(calls.splice(0)).toEqual(["loadById", "loadById"]);
    });

    it("updates at the revision given, and names expected and current when it moved", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create();
      expect((await manager.update(session.id, { a: 1 }, 1)).revision).toBe(2);
      for (const patch of [{ a: 2 }, { a: { b: 2 } }, {}]) {
        const moved = { code: "session-revision-moved", details: { sessionId: session.id, expected: 1, current: 2 } };
        await expect(manager.update(session.id, patch, 1)).rejects.toMatchObject(moved);
        await expect(manager.update(session.id, patch, 1)).rejects.toThrow(/revision 1.* at 2/);
      }
      expect((await manager.get(session.id))?.data).toEqual({ a: 1 });
    });

    it("refuses patches that are not mergeable and results beyond 64 KiB, changing nothing", async () => {
      const { manager } = await setUp(kind);
      const { session } = await manager.create({ data: { kept: { a: 1 } } });
      for (const patch of [[], "x", null, 1, JSON.parse('{"__proto__":{"a":1}}'), { kept: { prototype: 1 } }, { a: "\udc00" }] as never[]) {
        await expect(manager.update(session.id, patch)).rejects.toMatchObject(INVALID);
      }
      const half = "x".repeat(MAX_DATA_BYTES.login / 2);
      await manager.update(session.id, { half });
      for (const patch of [{ other: half }, { kept: { other: half } }]) {
        await expect(manager.update(session.id, patch)).rejects.toMatchObject({ code: "payload-too-large" });
      }
      expect((await manager.get(session.id))?.data).toEqual({ kept: { a: 1 }, half });
    });

    it("creates no session: an unknown, ended or expired one is session-not-found", async () => {
      const { manager, clock } = await setUp(kind);
      const { session: ended } = await manager.create();
      await manager.destroy(ended.id);
      const { session: expired } = await manager.create();
      clock.advance(1_000);
      for (const id of ["unknown", "", ended.id, expired.id]) {
        await expect(manager.update(id, { a: 1 })).rejects.toMatchObject(NOT_FOUND);
        await expect(manager.update(id, { a: { b: 1 } })).rejects.toMatchObject(NOT_FOUND);
        await expect(manager.update(id, {}, 1)).rejects.toMatchObject(NOT_FOUND);
        expect(await manager.get(id)).toBeUndefined();
      }
    });

    it("loses no field over 200 seeded interleavings of writers on two instances", async () => {
      let interleaving = new Interleaving(0);
      const intercept: Intercept = async (method, call) => {
        if (method !== "loadById" && method !== "commit") return call();
        await interleaving.step();
        const result = await call();
        await interleaving.step();
        return result;
      };
      const { manager, other } = await setUp(kind, intercept);
      let retried = 0;
      for (let seed = 1; seed <= 200; seed += 1) {
        interleaving = new Interleaving(seed);
        const { session } = await manager.create({ data: { shared: { start: true }, counter: 0 } });
        const patches: Record<string, Json>[] = [];
        for (let n = 0; n < 8; n += 1) {
          const flat = interleaving.random() < 0.4;
          patches.push(flat ? { [`flat${n}`]: n } : { shared: { [`nested${n}`]: { n } } });
        }
        const writes = patches.map((patch) => (interleaving.random() < 0.5 ? manager : other).update(session.id, patch));
        const results = await interleaving.run(writes);
        expect(results.filter(({ status }) => status === "rejected"), `seed ${seed}`).toEqual([]);
        const reading = manager.get(session.id);
        await interleaving.run([reading]);
        const shared = Object.assign({ start: true }, ...patches.map((patch) => patch.shared ?? {}));
        const flat = Object.assign({}, ...patches.filter((patch) => !("shared" in patch)));
        expect((await reading)?.data, `seed ${seed}`).toEqual({ ...flat, shared, counter: 0 });
        expect((await reading)?.revision).toBe(9);
        retried += results.length;
      }
      expect(retried).toBe(1_600);
    });

    it("merges many concurrent patches of one object on one instance without a retry", async () => {
      let commits = 0;
      const { manager } = await setUp(kind, (method, call) => {
        if (method === "commit") commits += 1;
        return call();
      });
      const { session } = await manager.create();
      const patches = Array.from({ length: 100 }, (_, n) => ({ shared: { [`n${n}`]: n } }));
      await Promise.all(patches.map((patch) => manager.update(session.id, patch)));
      expect(Object.keys((await manager.get(session.id))?.data.shared as object)).toHaveLength(100);
      expect(commits).toBe(100);
    });

    it("gives up merging after a bounded number of attempts when the session never holds still", async () => {
      let attempts = 0;
      const { manager, store } = await setUp(kind, async (method, call) => {
        const result = await call();
        if (method === "loadById") {
          attempts += 1;
          const present = result as { readonly id: string } | undefined;
          if (present) await store.commit(present.id, { set: { attempts } });
        }
        return result;
      });
      const { session } = await manager.create();
      const moved = { code: "session-revision-moved", details: { expected: null, current: 17 } };
      await expect(manager.update(session.id, { a: { b: 1 } })).rejects.toMatchObject(moved);
      expect((await store.loadById(session.id))?.data).not.toHaveProperty("a");
      // The seventeenth read is for the error's current revision.
      expect(attempts).toBe(17);
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
      await store.create({ id: "run:1", kind: "context", tokenHash: null, subject: null, data: {}, idleMs: 1_000, absoluteMs: null });
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
      for (const limit of [0, 201, -1, 1.5, Number.NaN]) await expect(manager.list({ limit })).rejects.toMatchObject(INVALID);
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
    expect(logged).toContainEqual({ level: "info", facts: { sessionId: session.id, kind: "login" }, message: "session expired" });
    expect(await store.sweep(10)).toEqual([]);
    await manager.close();
    await manager.close();
    expect(clock.pending).toBe(1);
    await expect(manager.create()).rejects.toMatchObject({ code: "store-unavailable" });
  });
});

describe("session manager", () => {
  it("refuses an idle time beyond the absolute lifetime, naming the key", () => {
    const config = { ...CONFIG, ttlMs: 10_001 };
    const refused = { code: "config-invalid", details: { key: "session.context.ttlMs" } };
    expect(() => createSessionManager({ store: createMemorySessionStore(), config })).toThrow(expect.objectContaining(refused));
  });

  it("says so when the random source repeats itself, instead of handing out a taken token", async () => {
    const { store, clock } = await setUp("memory");
    const random = { float: () => 0.5, bytes: (length: number) => new Uint8Array(length).fill(7) };
    const manager = createSessionManager({ store, config: CONFIG, ports: { clock, random } });
    await manager.create();
    clock.advance(1);
    await expect(manager.create()).rejects.toMatchObject({ code: "internal" });
  });

  it("finds sessions again after a restart of the process, on SQLite", async () => {
    const { manager, other, file, clock } = await setUp("sqlite");
    const { session, token } = await manager.create({ subject: "alice", data: { a: { b: 1 } } });
    const { token: rotated } = await manager.rotate(token);
    const { session: ended, token: endedToken } = await manager.create();
    await manager.destroy(ended.id);
    await manager.close();
    await other.close();

    const store = createSqliteSessionStore({ file, clock });
    const restarted = createSessionManager({ store, config: CONFIG, ports: { clock, random: systemPorts.random } });
    await restarted.open();
    expect(await restarted.load(rotated)).toMatchObject({ id: session.id, subject: "alice", data: { a: { b: 1 } }, revision: 1 });
    expect(await restarted.load(token)).toBeUndefined();
    expect(await restarted.load(endedToken)).toBeUndefined();
    await restarted.close();
  });

  it("leaves no token in the SQLite file or its log, and the hashes in it open nothing", async () => {
    const { manager, file } = await setUp("sqlite");
    const tokens: string[] = [];
    const { session, token } = await manager.create({ subject: "alice" });
    const { token: current } = await manager.rotate(token, 1_000);
    tokens.push(token, current);
    for (let n = 0; n < 20; n += 1) tokens.push((await manager.create()).token);

    const folder = join(file, "..");
    const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
    const bytes = Buffer.concat(files);
    expect(bytes.includes(session.id)).toBe(true);
    expect(bytes.includes(hashToken(current) as string)).toBe(true);
    for (const text of tokens) {
      expect(bytes.includes(text)).toBe(false);
      expect(bytes.includes(Buffer.from(text, "base64url"))).toBe(false);
      expect(await manager.load(hashToken(text) as string)).toBeUndefined();
    }
  });
});

/** Two instances over the same sessions, both through `intercept`; `store` is behind it. */
async function setUp(kind: "memory" | "sqlite", intercept: Intercept = (_method, call) => call()) {
  const clock = createManualClock();
  const folder = await mkdtemp(join(tmpdir(), "session-manager-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  const file = join(folder, "test.db");
  const store: SessionStore = kind === "memory" ? createMemorySessionStore({ clock }) : createSqliteSessionStore({ file, clock });
  const peer = kind === "memory" ? store : createSqliteSessionStore({ file, clock });
  const logged: { readonly level: string; readonly facts: object; readonly message: string }[] = [];
  const log = (level: string) => (facts: object, message: string) => void logged.push({ level, facts, message });
  const logger: Logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  const make = async (behind: SessionStore): Promise<SessionManager> => {
    const ports = { clock, random: systemPorts.random };
    const manager = createSessionManager({ store: interceptSessionStore(behind, intercept), config: CONFIG, ports, logger });
    cleanups.push(() => manager.close());
    await manager.open();
    return manager;
  };
  return { manager: await make(store), other: await make(peer), store, clock, file, logged };
}
