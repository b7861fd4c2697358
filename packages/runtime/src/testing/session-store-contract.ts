import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Json } from "../json.js";
import { MAX_DATA_BYTES } from "../store/session-data.js";
import type { NewSession, SessionRecord, SessionStore } from "../store/session-store.js";

/**
 * The contract of session stores as tests: `sessionStoreContract("redis", { open })` in a Vitest file. Each test opens a
 * store of its own, so they may run side by side.
 */
export interface SessionStoreContractOptions {
  open(): Promise<SessionStoreUnderTest>;
}

export interface SessionStoreUnderTest {
  /** Open and empty. */
  readonly store: SessionStore;
  /** The same sessions as another instance sees them, open. Leave it out when only one instance can have them. */
  readonly peer?: SessionStore;
  /** Moves the store's clock. */
  advance(ms: number): void | Promise<void>;
  /** Closes `store` and `peer`, and opens the same sessions anew. Leave it out when they end with the process. */
  reopen?(): Promise<SessionStore>;
  /** Closes everything and removes what was stored. */
  close(): Promise<void>;
}

const IDLE_MS = 1_000;
const ABSOLUTE_MS = 10_000;

export function sessionStoreContract(name: string, options: SessionStoreContractOptions): void {
  const test = (title: string, body: (world: World) => Promise<void>): void =>
    it(title, async ({ skip }) => {
      const opened = await options.open();
      try {
        await body({ ...opened, other: opened.peer ?? opened.store, skip });
      } finally {
        await opened.close();
      }
    });

  describe(`session store contract: ${name}`, () => {
    describe("opening", () => opening(test));
    describe("creating and reading", () => creating(test));
    describe("committing", () => committing(test));
    describe("concurrent requests", () => racing(test));
    describe("deadlines", () => expiring(test));
    describe("rotating", () => rotating(test));
    describe("revoking", () => revoking(test));
    describe("listing", () => listing(test));
    describe("sweeping", () => sweeping(test));
  });
}

interface World extends SessionStoreUnderTest {
  /** The peer, or the store itself where there is none. */
  readonly other: SessionStore;
  /** Ends the test as skipped, for the reason. */
  skip(reason: string): never;
}

type Test = (title: string, body: (world: World) => Promise<void>) => void;

function opening(test: Test): void {
  test("opens twice as once and answers a ping", async ({ store }) => {
    await store.open();
    await store.ping();
  });

  test("refuses every call after close, and closes twice as once", async ({ store }) => {
    await store.close();
    await store.close();
    const closed = { code: "store-unavailable" };
    await expect(store.ping()).rejects.toMatchObject(closed);
    await expect(store.create(login("a"))).rejects.toMatchObject(closed);
    await expect(store.load(hash("a"), { touch: true })).rejects.toMatchObject(closed);
    await expect(store.loadById("a")).rejects.toMatchObject(closed);
    await expect(store.commit("a", {})).rejects.toMatchObject(closed);
    await expect(store.rotate(hash("a"), hash("b"), 0)).rejects.toMatchObject(closed);
    await expect(store.revoke("a")).rejects.toMatchObject(closed);
    await expect(store.revokeSubject("a")).rejects.toMatchObject(closed);
    await expect(store.list({ limit: 1 })).rejects.toMatchObject(closed);
    await expect(store.sweep(1)).rejects.toMatchObject(closed);
  });

  test("keeps sessions, their tokens, revisions and deadlines when it is opened anew", async ({ store, advance, reopen, skip }) => {
    if (!reopen) return skip("its sessions end with the process");
    const created = await create(store, login("a", { subject: "s", data: { n: 1 } }));
    await store.commit("a", { set: { m: 2 } });
    await create(store, login("gone", { subject: "t" }));
    await store.revokeSubject("t");
    const before = await store.loadById("a");
    const reopened = await reopen();
    expect(await reopened.load(hash("a"), { touch: false })).toEqual(before);
    expect(await reopened.loadById("gone")).toBeUndefined();
    await advance(created.expiresAt - created.createdAt);
    expect(await reopened.load(hash("a"), { touch: true })).toBeUndefined();
  });
}

function creating(test: Test): void {
  test("gives back what was created, by token and by id, on every instance", async ({ store, other }) => {
    const created = await create(store, login("a", { subject: "s", data: { n: 1 } }));
    expect(created).toMatchObject({ id: "a", kind: "login", subject: "s", data: { n: 1 }, revision: 1, idleMs: IDLE_MS });
    expect(created.touchedAt).toBe(created.createdAt);
    expect(created.expiresAt).toBe(created.createdAt + IDLE_MS);
    expect(created.absoluteExpiresAt).toBe(created.createdAt + ABSOLUTE_MS);
    expect(await other.load(hash("a"), { touch: false })).toEqual(created);
    expect(await other.loadById("a")).toEqual(created);
  });

  test("says exists for a live id and for a token hash in use, and changes neither session", async ({ store, other }) => {
    const created = await create(store, login("a"));
    expect(await other.create(login("a", { tokenHash: hash("b"), data: { stolen: true } }))).toBe("exists");
    expect(await other.create(login("b", { tokenHash: hash("a") }))).toBe("exists");
    expect(await store.loadById("a")).toEqual(created);
    expect(await store.load(hash("b"), { touch: false })).toBeUndefined();
    expect(await store.loadById("b")).toBeUndefined();
  });

  test("lets one of many concurrent creations of an id win", async ({ store, other }) => {
    const attempts = Array.from({ length: 20 }, (_, n) => (n % 2 ? store : other).create(login("a", { tokenHash: hash(`t${n}`) })));
    const results = await Promise.all(attempts);
    expect(results.filter((result) => result !== "exists")).toHaveLength(1);
  });

  test("creates anew under the id of a session that is dead, with nothing of the old one", async ({ store, advance }) => {
    await create(store, login("a", { data: { old: true } }));
    await store.commit("a", { set: { older: true } });
    await advance(IDLE_MS);
    const created = await create(store, login("a", { tokenHash: hash("b"), data: {} }));
    expect(created).toMatchObject({ data: {}, revision: 1 });
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
    expect((await store.load(hash("b"), { touch: true }))?.id).toBe("a");
  });

  test("knows neither unknown tokens nor unknown ids", async ({ store }) => {
    await create(store, context("run"));
    expect(await store.load(hash("nobody"), { touch: true })).toBeUndefined();
    expect(await store.load("", { touch: true })).toBeUndefined();
    expect(await store.load("null", { touch: true })).toBeUndefined();
    expect(await store.loadById("nobody")).toBeUndefined();
  });

  test("takes a token's text for no token: only its hash leads to the session", async ({ store }) => {
    await create(store, login("a", { tokenHash: hash("secret") }));
    expect(await store.load("secret", { touch: false })).toBeUndefined();
  });

  test("keeps awkward data exactly as it is", async ({ store, other }) => {
    const data: Record<string, Json> = {
      text: "[]",
      array: [],
      object: {},
      "": "empty key",
      "a.b": 1,
      "1": "one",
      toString: "own",
      nested: { list: [[], {}, [null]], deep: { deeper: { empty: {} } } },
      numbers: [0, -1.5, 1e21, 9007199254740991, 1e-7],
      unicode: "é 語 🙂 \u2028",
      nothing: null,
      no: false,
    };
    await create(store, login("a", { data }));
    expect((await other.loadById("a"))?.data).toStrictEqual(data);
    await other.commit("a", { set: { more: data }, unset: ["1"] });
    const { "1": _removed, ...kept } = data;
    expect((await store.loadById("a"))?.data).toStrictEqual({ ...kept, more: data });
  });

  test("hands out copies: changing what was given or got changes no session", async ({ store }) => {
    const data = { list: [1] };
    const created = await create(store, login("a", { data }));
    data.list.push(2);
    (created.data.list as number[]).push(3);
    const set = { other: [1] };
    const committed = await store.commit("a", { set });
    set.other.push(2);
    ((committed as SessionRecord).data.other as number[]).push(3);
    expect((await store.loadById("a"))?.data).toEqual({ list: [1], other: [1] });
  });

  test("refuses data with keys that reach a prototype, NUL or lone surrogates, and stores nothing", async ({ store }) => {
    const hostile = [
      JSON.parse('{"__proto__":{"admin":true}}'),
      JSON.parse('{"a":{"__proto__":1}}'),
      { constructor: 1 },
      { prototype: 1 },
      { a: "\0" },
      { a: "\ud800" },
      ["not", "an", "object"],
    ] as Record<string, Json>[];
    await create(store, login("b", { data: { kept: true } }));
    for (const data of hostile) {
      await expect(store.create(login("a", { data }))).rejects.toMatchObject({ code: "input-invalid" });
      await expect(store.commit("b", { set: data })).rejects.toMatchObject({ code: "input-invalid" });
    }
    expect(await store.loadById("a")).toBeUndefined();
    expect(await store.loadById("b")).toMatchObject({ data: { kept: true }, revision: 1 });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
}

function committing(test: Test): void {
  test("sets and unsets top-level fields and leaves the others alone", async ({ store, other }) => {
    await create(store, login("a", { data: { a: 1, b: { c: 1, d: 2 }, e: 5 } }));
    const committed = await other.commit("a", { set: { b: { c: 3 }, f: 6 }, unset: ["e", "absent"] });
    expect(committed).toMatchObject({ data: { a: 1, b: { c: 3 }, f: 6 }, revision: 2 });
    expect((await store.loadById("a"))?.data).toStrictEqual({ a: 1, b: { c: 3 }, f: 6 });
  });

  test("applies set after unset when a field is in both", async ({ store }) => {
    await create(store, login("a", { data: { a: 1 } }));
    expect(await store.commit("a", { unset: ["a"], set: { a: 2 } })).toMatchObject({ data: { a: 2 } });
  });

  test("counts the revision up by one with each commit, also an empty one, and with nothing else", async ({ store, advance }) => {
    await create(store, login("a"));
    expect(await store.commit("a", {})).toMatchObject({ revision: 2 });
    await advance(IDLE_MS / 2);
    expect(await store.load(hash("a"), { touch: true })).toMatchObject({ revision: 2 });
    expect(await store.rotate(hash("a"), hash("b"), 0)).toMatchObject({ revision: 2 });
    expect(await store.commit("a", { set: { a: 1 } })).toMatchObject({ revision: 3 });
  });

  test("commits at the revision given and says moved at any other", async ({ store, other }) => {
    await create(store, login("a"));
    expect(await store.commit("a", { set: { n: 1 } }, 1)).toMatchObject({ revision: 2 });
    expect(await other.commit("a", { set: { n: 2 } }, 1)).toBe("moved");
    expect(await other.commit("a", { set: { n: 3 } }, 3)).toBe("moved");
    expect(await store.loadById("a")).toMatchObject({ data: { n: 1 }, revision: 2 });
  });

  test("lets one of many writers at one revision win", async ({ store, other }) => {
    await create(store, login("a"));
    const attempts = Array.from({ length: 20 }, (_, n) => (n % 2 ? store : other).commit("a", { set: { winner: n } }, 1));
    const results = await Promise.all(attempts);
    expect(results.filter((result) => result === "moved")).toHaveLength(19);
    expect(await store.loadById("a")).toMatchObject({ revision: 2 });
  });

  test("says not-found for a session that never was, whatever the revision", async ({ store }) => {
    expect(await store.commit("a", { set: { a: 1 } })).toBe("not-found");
    expect(await store.commit("a", { set: { a: 1 } }, 1)).toBe("not-found");
    expect(await store.loadById("a")).toBeUndefined();
  });

  test("bounds the data that results, not only the delta", async ({ store }) => {
    const half = "x".repeat(MAX_DATA_BYTES.login / 2);
    const tooLarge = { code: "payload-too-large" };
    await expect(store.create(login("a", { data: { half, other: half } }))).rejects.toMatchObject(tooLarge);
    await create(store, login("a", { data: { half } }));
    await expect(store.commit("a", { set: { other: half } })).rejects.toMatchObject(tooLarge);
    expect(await store.loadById("a")).toMatchObject({ data: { half }, revision: 1 });
    expect(await store.commit("a", { set: { other: half }, unset: ["half"] })).toMatchObject({ revision: 2 });
    await create(store, context("run", { data: { half, other: half } }));
  });
}

function racing(test: Test): void {
  test("a slow request that only reads keeps what another wrote meanwhile", async ({ store, other, advance }) => {
    await create(store, login("a", { data: { b: 1 } }));
    const slow = await store.load(hash("a"), { touch: true });
    await advance(IDLE_MS / 2);
    await other.commit("a", { set: { a: 1 } });
    await store.load(hash("a"), { touch: true });
    expect(slow?.data).toEqual({ b: 1 });
    expect(await other.loadById("a")).toMatchObject({ data: { a: 1, b: 1 } });
  });

  test("two writers of different fields both keep their write", async ({ store, other }) => {
    await create(store, login("a"));
    await Promise.all([store.load(hash("a"), { touch: true }), other.load(hash("a"), { touch: true })]);
    await Promise.all([store.commit("a", { set: { a: 1 } }), other.commit("a", { set: { b: 2 } })]);
    expect(await store.loadById("a")).toMatchObject({ data: { a: 1, b: 2 }, revision: 3 });
  });

  test("many concurrent writers of different fields lose nothing", async ({ store, other }) => {
    await create(store, login("a"));
    const fields = Array.from({ length: 50 }, (_, n) => [`field${n}`, n] as const);
    await Promise.all(fields.map(([key, value], n) => (n % 2 ? store : other).commit("a", { set: { [key]: value } })));
    expect(await store.loadById("a")).toMatchObject({ data: Object.fromEntries(fields), revision: 51 });
  });

  test("a session that ends while a write is in flight stays dead", async ({ store, other }) => {
    await create(store, login("a", { data: { a: 1 } }));
    const writer = await store.load(hash("a"), { touch: true });
    await other.revoke("a");
    expect(await store.commit("a", { set: { a: 2 } })).toBe("not-found");
    expect(await store.commit("a", { set: { a: 2 } }, writer?.revision)).toBe("not-found");
    await expectDead(store, "a", hash("a"));
    await expectDead(other, "a", hash("a"));
  });

  test("a session that ends while a touching read is in flight stays dead", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await advance(IDLE_MS / 2);
    await Promise.all([
      store.load(hash("a"), { touch: true }),
      other.revoke("a"),
      store.load(hash("a"), { touch: true }),
    ]);
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
    await expectDead(store, "a", hash("a"));
    await expectDead(other, "a", hash("a"));
  });

  test("a rotation while a write is in flight keeps the write and the old token dead", async ({ store, other }) => {
    await create(store, login("a"));
    const writer = await store.load(hash("a"), { touch: true });
    await other.rotate(hash("a"), hash("b"), 0);
    expect(await store.commit("a", { set: { a: 1 } }, writer?.revision)).toMatchObject({ data: { a: 1 } });
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
    expect(await store.load(hash("b"), { touch: true })).toMatchObject({ id: "a", data: { a: 1 } });
  });
}

function expiring(test: Test): void {
  test("lives up to the idle deadline and is dead from its very millisecond on", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await advance(IDLE_MS - 1);
    expect(await store.load(hash("a"), { touch: false })).toBeDefined();
    expect(await store.loadById("a")).toBeDefined();
    await advance(1);
    await expectDead(store, "a", hash("a"));
    await expectDead(other, "a", hash("a"));
  });

  test("a touch moves the idle deadline to one idle time from now", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await advance(IDLE_MS - 1);
    const touched = await store.load(hash("a"), { touch: true });
    expect(touched?.expiresAt).toBe((touched?.touchedAt ?? 0) + IDLE_MS);
    await advance(IDLE_MS - 1);
    expect(await other.load(hash("a"), { touch: false })).toEqual(touched);
    await advance(1);
    await expectDead(store, "a", hash("a"));
  });

  test("reading without a touch, or by id, moves nothing", async ({ store, advance }) => {
    const created = await create(store, login("a"));
    await advance(IDLE_MS - 1);
    expect(await store.load(hash("a"), { touch: false })).toEqual(created);
    expect(await store.loadById("a")).toEqual(created);
    await store.list({ limit: 10 });
    await advance(1);
    await expectDead(store, "a", hash("a"));
  });

  test("a touch writes nothing before a tenth of the idle time has passed", async ({ store, other, advance }) => {
    const created = await create(store, login("a"));
    await advance(IDLE_MS / 10 - 1);
    expect(await store.load(hash("a"), { touch: true })).toEqual(created);
    await advance(1);
    const touched = await store.load(hash("a"), { touch: true });
    expect(touched?.touchedAt).toBe(created.createdAt + IDLE_MS / 10);
    expect(await other.loadById("a")).toEqual(touched);
  });

  test("a commit is activity: it moves the idle deadline, also of a context without a token", async ({ store, advance }) => {
    await create(store, login("a"));
    await create(store, context("run"));
    for (let n = 1; n <= 3; n += 1) {
      await advance(IDLE_MS - 1);
      expect(await store.commit("a", { set: { n } })).toMatchObject({ data: { n } });
      expect(await store.commit("run", { set: { n } })).toMatchObject({ data: { n } });
    }
    await advance(IDLE_MS);
    await expectDead(store, "a", hash("a"));
    expect(await store.loadById("run")).toBeUndefined();
  });

  test("ends at the absolute deadline under constant activity of every kind", async ({ store, advance }) => {
    const created = await create(store, login("a"));
    let token = hash("a");
    const stepMs = IDLE_MS / 2;
    for (let elapsedMs = stepMs; elapsedMs < ABSOLUTE_MS; elapsedMs += stepMs) {
      await advance(stepMs);
      const next = hash(`a at ${elapsedMs}`);
      const seen = [
        await store.load(token, { touch: true }),
        await store.commit("a", { set: { elapsedMs } }),
        await store.rotate(token, next, 0),
      ];
      for (const record of seen) expect(record).toMatchObject({ absoluteExpiresAt: created.absoluteExpiresAt });
      token = next;
    }
    expect((await store.loadById("a"))?.expiresAt).toBe(created.absoluteExpiresAt);
    await advance(stepMs - 1);
    expect(await store.load(token, { touch: true })).toBeDefined();
    await advance(1);
    await expectDead(store, "a", token);
  });

  test("a context has no absolute deadline", async ({ store, advance }) => {
    expect(await create(store, context("run"))).toMatchObject({ absoluteExpiresAt: null });
    for (let n = 0; n < 30; n += 1) {
      await advance(IDLE_MS - 1);
      expect(await store.commit("run", { set: { n } })).toMatchObject({ data: { n } });
    }
  });

  test("an expired session comes back by no commit, touch, rotation or sweep", async ({ store, advance }) => {
    await create(store, login("a", { subject: "s" }));
    await advance(IDLE_MS);
    expect(await store.commit("a", { set: { a: 1 } })).toBe("not-found");
    expect(await store.commit("a", { set: { a: 1 } }, 1)).toBe("not-found");
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
    expect(await store.rotate(hash("a"), hash("b"), IDLE_MS)).toBe("not-found");
    expect(await store.revoke("a")).toBe(false);
    expect(await store.revokeSubject("s")).toBe(0);
    await store.sweep(10);
    await expectDead(store, "a", hash("a"));
    await expectDead(store, "a", hash("b"));
  });
}

function rotating(test: Test): void {
  test("swaps the token at once: the old one is dead, id, data and deadline stay", async ({ store, other, advance }) => {
    const created = await create(store, login("a", { subject: "s", data: { n: 1 } }));
    await advance(IDLE_MS / 2);
    const rotated = await store.rotate(hash("a"), hash("b"), 0);
    expect(rotated).toMatchObject({ id: "a", subject: "s", data: { n: 1 }, absoluteExpiresAt: created.absoluteExpiresAt });
    expect(rotated).toMatchObject({ touchedAt: created.createdAt + IDLE_MS / 2 });
    expect(await other.load(hash("a"), { touch: true })).toBeUndefined();
    expect(await other.load(hash("b"), { touch: false })).toEqual(rotated);
  });

  test("keeps the old token through its grace and not a millisecond longer", async ({ store, other, advance }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 100);
    await advance(99);
    expect((await other.load(hash("a"), { touch: true }))?.id).toBe("a");
    expect((await other.load(hash("b"), { touch: true }))?.id).toBe("a");
    await advance(1);
    expect(await other.load(hash("a"), { touch: true })).toBeUndefined();
    expect((await other.load(hash("b"), { touch: true }))?.id).toBe("a");
  });

  test("refuses to rotate a token in its grace, after it, or one never issued", async ({ store, advance }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 100);
    expect(await store.rotate(hash("a"), hash("c"), 100)).toBe("not-found");
    await advance(100);
    expect(await store.rotate(hash("a"), hash("c"), 100)).toBe("not-found");
    expect(await store.rotate(hash("nobody"), hash("c"), 100)).toBe("not-found");
    expect(await store.load(hash("c"), { touch: true })).toBeUndefined();
    expect((await store.load(hash("b"), { touch: true }))?.id).toBe("a");
  });

  test("never lets a token two rotations back in, even in its grace", async ({ store }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 1_000);
    await store.rotate(hash("b"), hash("c"), 1_000);
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
    expect((await store.load(hash("b"), { touch: true }))?.id).toBe("a");
    await store.rotate(hash("c"), hash("d"), 0);
    expect(await store.load(hash("b"), { touch: true })).toBeUndefined();
    expect(await store.load(hash("c"), { touch: true })).toBeUndefined();
  });

  test("lets one of many concurrent rotations of a token win", async ({ store, other }) => {
    await create(store, login("a"));
    const attempts = Array.from({ length: 20 }, (_, n) => (n % 2 ? store : other).rotate(hash("a"), hash(`next${n}`), 0));
    const results = await Promise.all(attempts);
    expect(results.filter((result) => result !== "not-found")).toHaveLength(1);
    const alive = await Promise.all(results.map((_, n) => store.load(hash(`next${n}`), { touch: false })));
    expect(alive.filter((record) => record !== undefined)).toHaveLength(1);
  });

  test("a rotation that is sent again finds the old token dead and harms nothing", async ({ store }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 0);
    expect(await store.rotate(hash("a"), hash("b"), 0)).toBe("not-found");
    expect((await store.load(hash("b"), { touch: true }))?.id).toBe("a");
    expect(await store.load(hash("a"), { touch: true })).toBeUndefined();
  });

  test("takes over no token that another session has", async ({ store }) => {
    await create(store, login("a"));
    await create(store, login("b"));
    expect(await store.rotate(hash("a"), hash("b"), 0)).toBe("not-found");
    expect((await store.load(hash("a"), { touch: true }))?.id).toBe("a");
    expect((await store.load(hash("b"), { touch: true }))?.id).toBe("b");
  });
}

function revoking(test: Test): void {
  test("ends a session once, for token and id, on every instance", async ({ store, other }) => {
    await create(store, login("a"));
    await create(store, login("b"));
    expect(await store.revoke("a")).toBe(true);
    expect(await other.revoke("a")).toBe(false);
    expect(await store.revoke("unknown")).toBe(false);
    await expectDead(other, "a", hash("a"));
    expect(await store.loadById("b")).toBeDefined();
  });

  test("ends the tokens of a grace as well, and lets no rotation revive them", async ({ store }) => {
    await create(store, login("a"));
    await store.rotate(hash("a"), hash("b"), 1_000);
    await store.revoke("a");
    await expectDead(store, "a", hash("a"));
    await expectDead(store, "a", hash("b"));
    expect(await store.rotate(hash("b"), hash("c"), 1_000)).toBe("not-found");
    expect(await store.rotate(hash("a"), hash("c"), 1_000)).toBe("not-found");
    await expectDead(store, "a", hash("c"));
  });

  test("ends all sessions of a subject, says how many, and touches nobody else's", async ({ store, other }) => {
    for (const id of ["a1", "a2", "a3"]) await create(store, login(id, { subject: "alice" }));
    await create(store, login("b1", { subject: "alice:b" }));
    await create(store, login("n1", { subject: null }));
    await store.rotate(hash("a3"), hash("a3 next"), 1_000);
    await store.revoke("a1");
    expect(await other.revokeSubject("alice")).toBe(2);
    expect(await store.revokeSubject("alice")).toBe(0);
    expect(await store.revokeSubject("nobody")).toBe(0);
    for (const id of ["a1", "a2", "a3"]) await expectDead(store, id, hash(id));
    await expectDead(store, "a3", hash("a3 next"));
    expect(await store.loadById("b1")).toBeDefined();
    expect(await store.loadById("n1")).toBeDefined();
  });

  test("ends sessions of a subject that are created while the call is under way", async ({ store, other }) => {
    await create(store, login("before", { subject: "s" }));
    const revoking = store.revokeSubject("s");
    const during = Array.from({ length: 20 }, (_, n) => (n % 2 ? store : other).create(login(`d${n}`, { subject: "s" })));
    const [revoked, ...created] = await Promise.all([revoking, ...during]);
    expect(created.every((session) => session !== "exists")).toBe(true);
    expect(revoked).toBe(21);
    for (let n = 0; n < 20; n += 1) await expectDead(other, `d${n}`, hash(`d${n}`));
    expect((await store.list({ subject: "s", limit: 50 })).items).toEqual([]);
  });

  test("lets a subject sign in again after all its sessions ended", async ({ store, other }) => {
    await create(store, login("a", { subject: "s" }));
    for (let n = 0; n < 3; n += 1) {
      await store.revokeSubject("s");
      await create(other, login(`again${n}`, { subject: "s" }));
      expect(await store.load(hash(`again${n}`), { touch: true })).toMatchObject({ id: `again${n}`, subject: "s" });
    }
    await expectDead(store, "a", hash("a"));
    expect((await store.list({ subject: "s", limit: 10 })).items).toHaveLength(1);
  });

  test("a write, touch or rotation in flight revives no session of a revoked subject", async ({ store, other }) => {
    await create(store, login("a", { subject: "s" }));
    await Promise.all([
      other.revokeSubject("s"),
      store.commit("a", { set: { a: 1 } }),
      store.load(hash("a"), { touch: true }),
      store.rotate(hash("a"), hash("b"), 1_000),
    ]);
    expect(await store.commit("a", { set: { a: 1 } })).toBe("not-found");
    await expectDead(store, "a", hash("a"));
    await expectDead(store, "a", hash("b"));
  });
}

function listing(test: Test): void {
  test("pages through live logins, newest first, each once, though others come and go", async ({ store, other, advance }) => {
    for (let n = 0; n < 7; n += 1) {
      await create(store, login(`s${n}`, { idleMs: ABSOLUTE_MS }));
      // Two share each moment: the id decides between them.
      if (n % 2) await advance(1);
    }
    const first = await store.list({ limit: 3 });
    expect(ids(first)).toEqual(["s6", "s5", "s4"]);
    await create(store, login("newer"));
    await store.revoke("s4");
    await store.revoke("s2");
    const second = await other.list({ limit: 3, ...cursorOf(first) });
    expect(ids(second)).toEqual(["s3", "s1", "s0"]);
    expect(second.nextCursor).toBeNull();
  });

  test("ends with a page that is exactly full, and gives an empty one for nothing", async ({ store }) => {
    expect(await store.list({ limit: 2 })).toEqual({ items: [], nextCursor: null });
    await create(store, login("a"));
    await create(store, login("b"));
    expect((await store.list({ limit: 2 })).nextCursor).toBeNull();
    expect((await store.list({ limit: 1 })).nextCursor).not.toBeNull();
  });

  test("lists one subject's sessions when asked, and no one's by a part of the name", async ({ store }) => {
    await create(store, login("a", { subject: "s" }));
    await create(store, login("b", { subject: "s2" }));
    await create(store, login("c", { subject: null }));
    expect(ids(await store.list({ subject: "s", limit: 10 }))).toEqual(["a"]);
    expect(ids(await store.list({ subject: "%", limit: 10 }))).toEqual([]);
    expect(ids(await store.list({ limit: 10 }))).toEqual(["c", "b", "a"]);
  });

  test("hides contexts unless they are asked for", async ({ store }) => {
    await create(store, login("a"));
    await create(store, context("run"));
    expect(ids(await store.list({ limit: 10 }))).toEqual(["a"]);
    expect(ids(await store.list({ kind: "login", limit: 10 }))).toEqual(["a"]);
    expect(ids(await store.list({ kind: "context", limit: 10 }))).toEqual(["run"]);
  });

  test("leaves out what expired or was revoked, swept or not", async ({ store, advance }) => {
    await create(store, login("short"));
    await create(store, login("long", { idleMs: ABSOLUTE_MS }));
    await create(store, login("revoked", { idleMs: ABSOLUTE_MS }));
    await store.revoke("revoked");
    await advance(IDLE_MS);
    expect(ids(await store.list({ limit: 10 }))).toEqual(["long"]);
  });

  test("refuses a cursor that no page gave", async ({ store }) => {
    for (const cursor of ["", "x", "%00", "bnVsbA", "W10", "WyJhIiwxXQ", "é".repeat(1_000)]) {
      await expect(store.list({ limit: 1, cursor })).rejects.toMatchObject({ code: "input-invalid" });
    }
  });
}

function sweeping(test: Test): void {
  test("deletes and returns each expired session once, in bounded batches, and no live one", async ({ store, other, advance }) => {
    for (let n = 0; n < 7; n += 1) await create(store, login(`s${n}`, { data: { n } }));
    await create(store, login("live", { idleMs: IDLE_MS + 1 }));
    expect(await store.sweep(10)).toEqual([]);
    await advance(IDLE_MS);
    const batches = [await store.sweep(3), await other.sweep(3), await store.sweep(3), await other.sweep(3)];
    expect(batches.map((batch) => batch.length)).toEqual([3, 3, 1, 0]);
    const swept = batches.flat();
    expect(swept.map(({ id }) => id).sort()).toEqual(["s0", "s1", "s2", "s3", "s4", "s5", "s6"]);
    expect(swept.every(({ id, data }) => id === `s${String(data.n)}`)).toBe(true);
    expect(await store.loadById("live")).toBeDefined();
  });

  test("hands each expired session to one of many concurrent sweeps", async ({ store, other, advance }) => {
    for (let n = 0; n < 20; n += 1) await create(store, login(`s${n}`));
    await advance(IDLE_MS);
    const batches = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? store : other).sweep(4)));
    const swept = batches.flat().map(({ id }) => id);
    expect(swept).toHaveLength(20);
    expect(new Set(swept).size).toBe(20);
  });

  test("judges by the stored deadline: a session touched in time is not swept", async ({ store, advance }) => {
    await create(store, login("a"));
    await advance(IDLE_MS - 1);
    await store.load(hash("a"), { touch: true });
    await advance(1);
    expect(await store.sweep(10)).toEqual([]);
    expect(await store.load(hash("a"), { touch: true })).toBeDefined();
  });

  test("returns no session that was revoked, and still those that expired before", async ({ store, advance }) => {
    await create(store, login("expired", { subject: "s" }));
    await advance(IDLE_MS);
    await create(store, login("one"));
    await create(store, login("all", { subject: "s" }));
    await store.revoke("one");
    await store.revokeSubject("s");
    await advance(IDLE_MS);
    expect((await store.sweep(10)).map(({ id }) => id)).toEqual(["expired"]);
  });

  test("sweeps contexts as well", async ({ store, advance }) => {
    await create(store, context("run"));
    await advance(IDLE_MS);
    expect(await store.sweep(10)).toMatchObject([{ id: "run", kind: "context" }]);
  });
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function login(id: string, changes: Partial<NewSession> = {}): NewSession {
  return { id, kind: "login", tokenHash: hash(id), subject: null, data: {}, idleMs: IDLE_MS, absoluteMs: ABSOLUTE_MS, ...changes };
}

function context(id: string, changes: Partial<NewSession> = {}): NewSession {
  return { ...login(id), kind: "context", tokenHash: null, absoluteMs: null, ...changes };
}

async function create(store: SessionStore, session: NewSession): Promise<SessionRecord> {
  const created = await store.create(session);
  if (created === "exists") throw new Error(`expected ${session.id} to be free`);
  return created;
}

async function expectDead(store: SessionStore, id: string, tokenHash: string): Promise<void> {
  expect(await store.loadById(id)).toBeUndefined();
  expect(await store.load(tokenHash, { touch: false })).toBeUndefined();
  expect((await store.list({ limit: 200 })).items.map((session) => session.id)).not.toContain(id);
}

function ids(page: { readonly items: readonly SessionRecord[] }): string[] {
  return page.items.map(({ id }) => id);
}

function cursorOf(page: { readonly nextCursor: string | null }): { readonly cursor?: string } {
  return page.nextCursor === null ? {} : { cursor: page.nextCursor };
}
