import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG } from "../config.js";
import { type Json, toJson } from "../json.js";
import type { Logger } from "../log.js";
import { systemPorts } from "../ports.js";
import type { SessionStore } from "../store/session-store.js";
import { createMemorySessionStore } from "../stores/memory/session-store.js";
import { createManualClock } from "../testing/manual-clock.js";
import { sessionStoreContract } from "../testing/session-store-contract.js";
import { type EncryptedSessionStoreOptions, encryptedSessionStore } from "./encrypted-store.js";
import type { EncryptionKey } from "./field-cipher.js";
import { createSessionManager } from "./session-manager.js";
import { readToken } from "./token.js";

const OLD: EncryptionKey = { id: "2025", secret: Buffer.alloc(32, 1) };
const NEW: EncryptionKey = { id: "2026", secret: Buffer.alloc(32, 2) };
const SECRET = "plum pudding";
const PLACE = { tokenHash: null, subject: null, idleMs: 1_000, absoluteMs: null };

sessionStoreContract("encrypted, over memory", {
  async open() {
    const { store, clock } = await setUp();
    return { store, advance: clock.advance, close: () => store.close() };
  },
});

describe("an encrypted session store", () => {
  it("gives back every JSON value as it was", async () => {
    const { store } = await setUp();
    const data: Record<string, Json> = {
      a: null,
      b: false,
      c: 0,
      d: "",
      e: [],
      f: {},
      "": [{ x: "é😀" }],
      g: "enc1:x:y",
    };
    const created = await store.create({ id: "run:1", kind: "context", ...PLACE, data });
    expect(created).toMatchObject({ session: { data } });
    expect((await store.loadById("run:1"))?.data).toEqual(data);
    const set = { a: 1, h: "new" };
    expect(await store.commit("run:1", { set, unset: ["b"] })).toMatchObject({ data: { ...set, c: 0 } });
    const { b: _b, ...kept } = data;
    expect((await store.loadById("run:1"))?.data).toEqual({ ...kept, ...set });
    expect((await store.list({ kind: "context", limit: 10 })).items[0]?.data).toEqual({ ...kept, ...set });
    expect((await store.revoke("run:1"))?.data).toEqual({ ...kept, ...set });
  });

  it("holds no value that anybody could read, through all that a session manager does", async () => {
    const { inner, store, dumps } = await setUp();
    const manager = createSessionManager({ store, config: DEFAULT_CONFIG.context });
    await manager.open();
    const former = await manager.create({ data: { note: SECRET, nested: { deep: [SECRET] } } });
    await manager.update(former.session.id, { other: SECRET });
    await manager.update(former.session.id, { nested: { more: SECRET } });
    await manager.write(former.session.id, { set: { written: SECRET } });
    const { session, token } = await manager.signIn(former.token, { subject: "ann", data: { added: SECRET } });
    const nested = { deep: [SECRET], more: SECRET };
    const data = { note: SECRET, nested, other: SECRET, written: SECRET, added: SECRET };
    expect(session.data).toEqual(data);
    const rotated = await manager.rotate(token);
    expect(rotated.session.data).toEqual(data);
    expect((await manager.load(rotated.token))?.data).toEqual(data);
    const stored = JSON.stringify([dumps, await inner.list({ limit: 10 })]);
    expect(stored).toContain("enc1:2026:");
    expect(stored).toContain("ann");
    for (const text of [SECRET, "pudding", Buffer.from(SECRET).toString("base64url").slice(0, 12)])
      expect(stored).not.toContain(text);
    await manager.close();
  });

  it("never encrypts alike: the same value in the same place gives another text each time", async () => {
    const { inner, store } = await setUp();
    await store.create({ id: "run:1", kind: "context", ...PLACE, data: { a: 1, b: 1 } });
    const texts = new Set<Json | undefined>();
    for (let n = 0; n < 100; n += 1) {
      const present = (await inner.loadById("run:1"))?.data;
      texts.add(present?.a).add(present?.b);
      await store.commit("run:1", { set: { a: 1, b: 1 } });
    }
    expect(texts.size).toBe(200);
  });

  const forgeries: readonly (readonly [string, (data: Data, other: Data) => Data, reason: string])[] = [
    ["copied from another session", (data, other) => ({ ...data, a: other.a }), "not-authentic"],
    ["copied from another field", (data) => ({ ...data, a: data.b }), "not-authentic"],
    ["in a field of another name", (data) => ({ ...data, c: data.a }), "not-authentic"],
    ["cut at its end", (data) => ({ ...data, a: data.a.slice(0, -1) }), "not-authentic"],
    ["cut to nothing but its mark", (data) => ({ ...data, a: data.a.slice(0, 20) }), "not-authentic"],
    ["changed in one bit of its middle", (data) => ({ ...data, a: flip(data.a, 20) }), "not-authentic"],
    ["changed in its nonce", (data) => ({ ...data, a: flip(data.a, 0) }), "not-authentic"],
    ["changed in its tag", (data) => ({ ...data, a: flip(data.a, -1) }), "not-authentic"],
    [
      "said to be of another key that is known",
      (data) => ({ ...data, a: data.a.replace("2026", "2025") }),
      "not-authentic",
    ],
    ["of a key that is unknown", (data) => ({ ...data, a: data.a.replace("2026", "2027") }), "unknown-key"],
    ["plain", (data) => ({ ...data, a: SECRET }), "not-encrypted"],
    ["plain beside the encrypted ones", (data) => ({ ...data, isAdmin: true as never }), "not-encrypted"],
    ["an empty body", (data) => ({ ...data, a: "enc1:2026:" }), "not-encrypted"],
  ];
  it.each(forgeries)("takes a session for none when a value is %s, and logs why", async (_what, forge, reason) => {
    const { inner, store, logged } = await setUp({ keys: [NEW, OLD] });
    const made = { kind: "login", ...PLACE, absoluteMs: 1_000 } as const;
    await store.create({ ...made, id: "other", tokenHash: "hash of other", data: { a: SECRET, b: 2 } });
    await store.create({ ...made, id: "s", tokenHash: "hash of s", data: { a: SECRET, b: 2 } });
    const dataOf = async (id: string): Promise<Data> => (await inner.loadById(id))?.data as Data;
    await inner.commit("s", { set: forge(await dataOf("s"), await dataOf("other")) });

    expect(await store.load("s", "hash of s", { touch: true })).toBeUndefined();
    expect(await store.loadById("s")).toBeUndefined();
    expect(await store.commit("s", { set: { d: 1 } })).toBe("not-found");
    expect((await store.list({ limit: 10 })).items.map(({ id }) => id)).toEqual(["other"]);
    const rotation = { oldTokenHash: "hash of s", newTokenHash: "new hash", seed: "seed", graceMs: 0 };
    expect(await store.rotate("s", rotation)).toBe("not-found");
    expect(logged).toHaveLength(5);
    for (const line of logged) expect(line).toEqual({ sessionId: "s", kind: "login", reason });
    expect(await inner.loadById("s")).toBeDefined();
    expect((await store.revoke("s"))?.data).toEqual({});
    expect(await inner.loadById("s")).toBeUndefined();
  });

  it("is never an exception to the user: the manager says there is no session", async () => {
    const { inner, store } = await setUp();
    const manager = createSessionManager({ store, config: DEFAULT_CONFIG.context });
    await manager.open();
    const { session, token } = await manager.create({ data: { a: 1 } });
    await inner.commit(session.id, { set: { a: "forged" } });
    expect(await manager.load(token)).toBeUndefined();
    expect(await manager.resume(token)).toBeUndefined();
    expect(await manager.get(session.id)).toBeUndefined();
    await expect(manager.update(session.id, { a: { b: 1 } })).rejects.toMatchObject({ code: "session-not-found" });
    expect((await manager.signIn(token, { subject: "ann" })).session.data).toEqual({});
    await manager.close();
  });

  it("lets what nobody here can read stand in nobody's way: a context is made anew", async () => {
    const { inner, store } = await setUp();
    const context = { id: "run:1", kind: "context", ...PLACE } as const;
    await inner.create({ ...context, data: { a: "plain" } });
    expect(await store.create({ ...context, data: { a: 2 } })).toMatchObject({ session: { data: { a: 2 } } });
    expect((await store.loadById("run:1"))?.data).toEqual({ a: 2 });
    expect(await store.create({ ...context, data: { a: 3 } })).toBe("exists");
  });

  it("changes keys without a logout: the old one still reads, and what is written is under the new one", async () => {
    const { inner, store: before } = await setUp({ keys: [OLD] });
    await before.create({ id: "run:1", kind: "context", ...PLACE, data: { a: 1, b: 1 } });
    const between = encryptedSessionStore(inner, { keys: [NEW, OLD] });
    expect((await between.loadById("run:1"))?.data).toEqual({ a: 1, b: 1 });
    await between.commit("run:1", { set: { a: 2 } });
    const stored = (await inner.loadById("run:1"))?.data as Data;
    expect([stored.a.slice(0, 10), stored.b.slice(0, 10)]).toEqual(["enc1:2026:", "enc1:2025:"]);
    const after = encryptedSessionStore(inner, { keys: [NEW] });
    expect(await after.loadById("run:1")).toBeUndefined();
    await between.commit("run:1", { set: { b: 2 } });
    expect((await after.loadById("run:1"))?.data).toEqual({ a: 2, b: 2 });
    expect(await before.loadById("run:1")).toBeUndefined();
  });

  it("reads what was written before only when told to, encrypts it when it is written, and takes no forged text for plain", async () => {
    const { inner } = await setUp();
    const accepting = encryptedSessionStore(inner, { keys: [NEW], acceptPlain: true });
    await inner.create({ id: "run:1", kind: "context", ...PLACE, data: { a: "plain", b: [1] } });
    expect((await accepting.loadById("run:1"))?.data).toEqual({ a: "plain", b: [1] });
    await accepting.commit("run:1", { set: { a: "now" } });
    expect((await inner.loadById("run:1"))?.data).toMatchObject({ a: expect.stringMatching(/^enc1:2026:/), b: [1] });
    expect((await accepting.loadById("run:1"))?.data).toEqual({ a: "now", b: [1] });
    for (const forged of ["enc1:2026:AAAA", "enc1:2026:", "enc1:!:AAAA", "enc1:"]) {
      await inner.commit("run:1", { set: { a: forged } });
      expect(await accepting.loadById("run:1"), forged).toBeUndefined();
    }
  });

  it("refuses data that is none before it encrypts, and bounds what is stored", async () => {
    const { inner, store } = await setUp();
    const context = { id: "run:1", kind: "context", ...PLACE } as const;
    await store.create({ ...context, data: {} });
    const invalid = { code: "input-invalid" };
    for (const data of [[], "x", { a: 1n }, { a: "\0" }, JSON.parse('{"__proto__":1}')] as never[]) {
      await expect(store.create({ ...context, id: "run:2", data })).rejects.toMatchObject(invalid);
      await expect(store.commit("run:1", { set: data })).rejects.toMatchObject(invalid);
    }
    expect(await inner.loadById("run:2")).toBeUndefined();
    const login = { kind: "login", ...PLACE, absoluteMs: 1_000 } as const;
    const fits = { a: "x".repeat(49_000) };
    await store.create({ ...login, id: "s", tokenHash: "hash", data: fits });
    expect((await store.loadById("s"))?.data).toEqual(fits);
    const tooLarge = { code: "payload-too-large" };
    await expect(store.commit("s", { set: { a: "x".repeat(50_000) } })).rejects.toMatchObject(tooLarge);
    expect((await store.loadById("s"))?.data).toEqual(fits);
  });

  it("takes secrets in base64url, in hex and as bytes, all the same key", async () => {
    const bytes = Buffer.from(systemPorts.random.bytes(32));
    const { inner } = await setUp();
    const forms = [
      bytes,
      new Uint8Array(bytes),
      bytes.toString("base64url"),
      bytes.toString("hex"),
      bytes.toString("hex").toUpperCase(),
    ];
    const stores = forms.map((secret) => encryptedSessionStore(inner, { keys: [{ id: "k", secret }] }));
    await stores[0]?.create({ id: "run:1", kind: "context", ...PLACE, data: { a: 1 } });
    for (const store of stores) expect((await store.loadById("run:1"))?.data).toEqual({ a: 1 });
  });

  it("keeps the secret it was given, whatever becomes of the buffer", async () => {
    const { inner } = await setUp();
    const secret = Buffer.alloc(32, 7);
    const store = encryptedSessionStore(inner, { keys: [{ id: "k", secret }] });
    await store.create({ id: "run:1", kind: "context", ...PLACE, data: { a: 1 } });
    secret.fill(0);
    expect((await store.loadById("run:1"))?.data).toEqual({ a: 1 });
  });

  it("refuses keys that are none, naming the key of the config and showing no secret", () => {
    const secret = "s".repeat(43);
    const refusals: readonly (readonly [unknown, string])[] = [
      [[], "keys"],
      [undefined, "keys"],
      [Array.from({ length: 17 }, (_, n) => ({ id: `k${n}`, secret })), "keys"],
      [[{ id: "", secret }], "keys[0].id"],
      [[{ id: "a:b", secret }], "keys[0].id"],
      [[{ id: "x".repeat(33), secret }], "keys[0].id"],
      [[{ secret }], "keys[0].id"],
      [
        [
          { id: "a", secret },
          { id: "a", secret },
        ],
        "keys[1].id",
      ],
      ...[
        "",
        "hunter2",
        secret.slice(1),
        `${secret}s`,
        `${secret}=`,
        "f".repeat(63),
        "g".repeat(64),
        "é".repeat(43),
      ].map((wrong) => [[{ id: "a", secret: wrong }], "keys[0].secret"] as const),
      ...[Buffer.alloc(31), Buffer.alloc(33), undefined, null, 1, [1]].map(
        (wrong) => [[{ id: "a", secret: wrong }], "keys[0].secret"] as const,
      ),
    ];
    for (const [keys, key] of refusals) {
      const make = () => encryptedSessionStore(createMemorySessionStore(), { keys } as EncryptedSessionStoreOptions);
      expect(make).toThrow(expect.objectContaining({ code: "config-invalid", details: { key } }));
    }
    const showing = () => encryptedSessionStore(createMemorySessionStore(), { keys: [{ id: "a", secret: "hunter2" }] });
    expect(showing).toThrow(/got 7 characters/);
    expect(showing).not.toThrow(/hunter2/);
  });

  it("passes everything else on: tokens, ends, the sweep, owners", async () => {
    const { clock, inner, store } = await setUp();
    const manager = createSessionManager({ store, config: { ...DEFAULT_CONFIG.context, ttlMs: 1_000 } });
    await store.ping();
    const { session, token } = await manager.create({ subject: "ann", data: { a: 1 } });
    await manager.rotate(token, 100);
    clock.advance(100);
    const { hash } = readToken(token) as { readonly hash: string };
    const reused = { reused: { id: session.id, kind: "login", subject: "ann" } };
    expect(await store.load(session.id, hash, { touch: true })).toEqual(reused);
    for (let n = 0; n < 3; n += 1) await manager.create({ subject: "ann" });
    expect(await manager.revokeSubject("ann")).toBe(3);
    const kept = await manager.create();
    expect(await store.revoke(kept.session.id)).toMatchObject({ id: kept.session.id });
    await manager.create();
    expect(await store.revokeAll()).toBe(1);
    await store.create({ id: "run:1", kind: "context", ...PLACE, data: {}, owner: "i1" });
    expect(await store.renewOwner("i1", 500, 10)).toEqual({ owned: 1, adopted: 0 });
    expect(await store.owners()).toEqual(await inner.owners());
    await store.retireOwner("i1");
    clock.advance(1_000);
    const expired = await store.sweep(10, 1_000);
    expect(expired).toMatchObject([{ id: "run:1", kind: "context" }]);
    await store.settle(expired);
    clock.advance(1_000);
    expect(await store.sweep(10, 1_000)).toEqual([]);
    await store.close();
    await expect(inner.ping()).rejects.toMatchObject({ code: "store-unavailable" });
  });
});

type Data = { readonly a: string; readonly b: string; readonly [field: string]: string };

/** The text with one bit changed in the `at`-th byte behind its head. */
function flip(text: string, at: number): string {
  const [mark, key, body = ""] = text.split(":");
  const bytes = Buffer.from(body, "base64url");
  const index = (at + bytes.length) % bytes.length;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  return [mark, key, bytes.toString("base64url")].join(":");
}

async function setUp(options: Partial<EncryptedSessionStoreOptions> = {}) {
  const clock = createManualClock();
  const inner = createMemorySessionStore({ clock });
  await inner.open();
  /** All that ever reached the store. */
  const dumps: unknown[] = [];
  const watched = new Proxy(inner, {
    get(target, name) {
      const call = target[name as keyof SessionStore] as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => {
        dumps.push(toJson(args, "arguments"));
        return call.apply(target, args);
      };
    },
  });
  const logged: object[] = [];
  const warn = (facts: object): void => void logged.push(facts);
  const logger: Logger = { debug() {}, info() {}, warn, error() {} };
  return { store: encryptedSessionStore(watched, { keys: [NEW], logger, ...options }), inner, clock, logged, dumps };
}
