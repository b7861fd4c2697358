import { expect } from "vitest";
import type { Json } from "../../json.js";
import type { SessionRecord } from "../../store/session-store.js";
import {
  ABSOLUTE_MS,
  context,
  create,
  expectDead,
  GRACE_MS,
  hash,
  IDLE_MS,
  idOf,
  load,
  login,
  rotation,
  type Test,
  together,
} from "./world.js";

/** What a new session is, and that its data stays as it is. */
export function creating(test: Test): void {
  const a = idOf("a");

  test("gives back what was created, by token and by id, on every instance", async ({ store, other }) => {
    const session = login("a", { subject: "s", data: { n: 1 } });
    const result = await store.create(session);
    const created = typeof result === "string" ? undefined : result.session;
    expect(result).toEqual({ session: created, evicted: [] });
    const createdAt = created?.createdAt ?? 0;
    expect(created).toEqual({
      ...{ id: session.id, kind: "login", subject: "s", data: { n: 1 }, revision: 1, idleMs: IDLE_MS },
      ...{ createdAt, touchedAt: createdAt, rotatedAt: createdAt },
      ...{ expiresAt: createdAt + IDLE_MS, absoluteExpiresAt: createdAt + ABSOLUTE_MS },
      ...{ signIn: null, device: null, owner: null },
    });
    expect(await load(other, session.id, "a")).toEqual(created);
    expect(await other.loadById(session.id)).toEqual(created);
  });

  test("says exists for a live id, and changes nothing of its session", async ({ store, other }) => {
    const created = await create(store, login("a"));
    expect(await other.create(login("a", { tokenHash: hash("b"), data: { stolen: true } }))).toBe("exists");
    expect(await store.loadById(a)).toEqual(created);
    expect(await load(store, a, "b")).toBeUndefined();
    expect(await load(store, a, "a")).toEqual(created);
  });

  test("lets one of many concurrent creations of an id win", async (world) => {
    const results = await together(world, 20, (store, n) => store.create(login("a", { tokenHash: hash(`t${n}`) })));
    expect(results.filter((result) => result !== "exists")).toHaveLength(1);
    for (const [n, result] of results.entries())
      expect((await load(world.store, a, `t${n}`))?.id).toBe(result === "exists" ? undefined : a);
  });

  test("creates anew under the id of a session that is dead, with nothing of the old one", async ({
    store,
    advance,
  }) => {
    await create(store, login("a", { data: { old: true }, signIn: { level: 2 } }));
    await store.commit(a, { set: { older: true } });
    await store.rotate(a, rotation("a", "b", GRACE_MS));
    await advance(IDLE_MS);
    const created = await create(store, login("a", { tokenHash: hash("c"), data: {} }));
    expect(created).toMatchObject({ data: {}, revision: 1, signIn: null });
    for (const old of ["a", "b"]) expect(await store.load(a, hash(old), { touch: true })).toBeUndefined();
    expect(await load(store, a, "c", true)).toMatchObject({ id: a });
  });

  test("refuses an id that is not its subject's, and stores nothing", async ({ store }) => {
    const misplaced = ["run:a", "a", idOf("a"), idOf("a", "t")];
    for (const id of misplaced) {
      await expect(store.create(login("a", { id, subject: "s" })), id).rejects.toMatchObject({ code: "input-invalid" });
      await expectDead(store, id, "a");
    }
    await create(store, login("a", { subject: "s" }));
  });

  test("knows neither unknown tokens nor unknown ids, nor one session's token at another", async ({ store }) => {
    await create(store, login("a"));
    await create(store, login("b"));
    await create(store, context("run:1"));
    for (const id of [a, idOf("b"), "run:1", idOf("nobody"), ""]) {
      for (const tokenHash of [hash("nobody"), "", "null", "undefined"])
        expect(await store.load(id, tokenHash, { touch: true })).toBeUndefined();
    }
    expect(await load(store, idOf("b"), "a")).toBeUndefined();
    expect(await load(store, "run:1", "a")).toBeUndefined();
    expect(await store.loadById(idOf("nobody"))).toBeUndefined();
    expect(await load(store, a, "a")).toBeDefined();
  });

  test("takes a token's text for no token, and shows nobody a hash", async ({ store }) => {
    const created = await create(store, login("a", { tokenHash: hash("secret") }));
    expect(await store.load(a, "secret", { touch: false })).toBeUndefined();
    const rotated = await store.rotate(a, rotation("secret", "next", GRACE_MS));
    const shown = [created, rotated, await load(store, a, "secret"), await store.list({ limit: 1 })];
    for (const token of ["secret", "next"]) expect(JSON.stringify(shown)).not.toContain(hash(token).slice(0, 8));
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
    expect((await other.loadById(a))?.data).toStrictEqual(data);
    await other.commit(a, { set: { more: data }, unset: ["1"] });
    const { "1": _removed, ...kept } = data;
    expect((await store.loadById(a))?.data).toStrictEqual({ ...kept, more: data });
  });

  test("hands out copies: changing what was given or got changes no session", async ({ store }) => {
    const data = { list: [1] };
    const created = await create(store, login("a", { data }));
    data.list.push(2);
    (created.data.list as number[]).push(3);
    const set = { other: [1] };
    const committed = await store.commit(a, { set });
    set.other.push(2);
    ((committed as SessionRecord).data.other as number[]).push(3);
    expect((await store.loadById(a))?.data).toEqual({ list: [1], other: [1] });
  });

  test("refuses data with keys that reach a prototype, NUL or lone surrogates, and stores nothing", async ({
    store,
  }) => {
    const hostile = [
      JSON.parse('{"__proto__":{"admin":true}}'),
      JSON.parse('{"a":{"__proto__":1}}'),
      { constructor: 1 },
      { prototype: 1 },
      { a: "\0" },
      { a: "\ud800" },
      ["not", "an", "object"],
    ] as Record<string, Json>[];
    const b = idOf("b");
    await create(store, login("b", { data: { kept: true } }));
    for (const data of hostile) {
      await expect(store.create(login("a", { data }))).rejects.toMatchObject({ code: "input-invalid" });
      await expect(store.commit(b, { set: data })).rejects.toMatchObject({ code: "input-invalid" });
    }
    expect(await store.loadById(a)).toBeUndefined();
    expect(await store.loadById(b)).toMatchObject({ data: { kept: true }, revision: 1 });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
}
