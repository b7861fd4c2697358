import { expect } from "vitest";
import type { Json } from "../../json.js";
import type { SessionRecord } from "../../store/session-store.js";
import { ABSOLUTE_MS, context, create, hash, IDLE_MS, login, type Test } from "./world.js";

/** What a new session is, and that its data stays as it is. */
export function creating(test: Test): void {
  test("gives back what was created, by token and by id, on every instance", async ({ store, other }) => {
    const created = await create(store, login("a", { subject: "s", data: { n: 1 } }));
    expect(created).toMatchObject({
      id: "a",
      kind: "login",
      subject: "s",
      data: { n: 1 },
      revision: 1,
      idleMs: IDLE_MS,
    });
    expect(created.touchedAt).toBe(created.createdAt);
    expect(created.expiresAt).toBe(created.createdAt + IDLE_MS);
    expect(created.absoluteExpiresAt).toBe(created.createdAt + ABSOLUTE_MS);
    expect(await other.load(hash("a"), { touch: false })).toEqual(created);
    expect(await other.loadById("a")).toEqual(created);
  });

  test("says exists for a live id and for a token hash in use, and changes neither session", async ({
    store,
    other,
  }) => {
    const created = await create(store, login("a"));
    expect(await other.create(login("a", { tokenHash: hash("b"), data: { stolen: true } }))).toBe("exists");
    expect(await other.create(login("b", { tokenHash: hash("a") }))).toBe("exists");
    expect(await store.loadById("a")).toEqual(created);
    expect(await store.load(hash("b"), { touch: false })).toBeUndefined();
    expect(await store.loadById("b")).toBeUndefined();
  });

  test("lets one of many concurrent creations of an id win", async ({ store, other }) => {
    const attempts = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? store : other).create(login("a", { tokenHash: hash(`t${n}`) })),
    );
    const results = await Promise.all(attempts);
    expect(results.filter((result) => result !== "exists")).toHaveLength(1);
  });

  test("creates anew under the id of a session that is dead, with nothing of the old one", async ({
    store,
    advance,
  }) => {
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
