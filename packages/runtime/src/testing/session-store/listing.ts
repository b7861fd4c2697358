import { expect } from "vitest";
import { ABSOLUTE_MS, context, create, cursorOf, IDLE_MS, idOf, ids, login, type Test } from "./world.js";

/** Pages of live sessions. */
export function listing(test: Test): void {
  const named = (...names: string[]) => names.map((name) => idOf(name, "s"));

  test("pages through live logins, newest first, each once, though others come and go", async ({
    store,
    other,
    advance,
  }) => {
    for (const query of [{}, { subject: "s" }]) {
      for (let n = 0; n < 7; n += 1) {
        await create(store, login(`s${n}`, { subject: "s", idleMs: ABSOLUTE_MS }));
        // Two share each moment: the id decides between them.
        if (n % 2) await advance(1);
      }
      const first = await store.list({ ...query, limit: 2 });
      expect(ids(first)).toEqual(named("s6", "s5"));
      await create(store, login("newer", { subject: "s" }));
      await store.revoke(idOf("s5", "s"));
      await store.revoke(idOf("s2", "s"));
      const second = await other.list({ ...query, limit: 3, ...cursorOf(first) });
      expect(ids(second)).toEqual(named("s4", "s3", "s1"));
      const third = await store.list({ ...query, limit: 3, ...cursorOf(second) });
      expect(ids(third)).toEqual(named("s0"));
      expect(third.nextCursor).toBeNull();
      await store.revokeSubject("s");
    }
  });

  test("lists sessions as they are", async ({ store }) => {
    const created = await create(store, login("a", { subject: "s", data: { n: 1 }, device: { label: "phone" } }));
    expect((await store.list({ limit: 1 })).items).toEqual([created]);
    expect((await store.list({ subject: "s", limit: 1 })).items).toEqual([created]);
  });

  test("ends with a page that is exactly full, and gives an empty one for nothing", async ({ store }) => {
    expect(await store.list({ limit: 2 })).toEqual({ items: [], nextCursor: null });
    await create(store, login("a"));
    await create(store, login("b"));
    expect((await store.list({ limit: 2 })).nextCursor).toBeNull();
    expect((await store.list({ limit: 1 })).nextCursor).not.toBeNull();
  });

  test("lists one subject's sessions when asked, and no one's by a part of the name", async ({ store, advance }) => {
    for (const [name, subject] of [
      ["a", "s"],
      ["b", "s2"],
      ["c", null],
    ] as const) {
      await create(store, login(name, { subject }));
      await advance(1);
    }
    expect(ids(await store.list({ subject: "s", limit: 10 }))).toEqual([idOf("a", "s")]);
    expect(ids(await store.list({ subject: "%", limit: 10 }))).toEqual([]);
    expect(ids(await store.list({ limit: 10 }))).toEqual([idOf("c"), idOf("b", "s2"), idOf("a", "s")]);
  });

  test("hides contexts unless they are asked for", async ({ store }) => {
    await create(store, login("a", { subject: "s" }));
    await create(store, context("run:1"));
    await create(store, context(idOf("run", "s"), { subject: "s" }));
    expect(ids(await store.list({ limit: 10 }))).toEqual(named("a"));
    expect(ids(await store.list({ subject: "s", limit: 10 }))).toEqual(named("a"));
    expect(ids(await store.list({ kind: "login", limit: 10 }))).toEqual(named("a"));
    expect(ids(await store.list({ kind: "context", limit: 10 })).sort()).toEqual([...named("run"), "run:1"].sort());
    expect(ids(await store.list({ kind: "context", subject: "s", limit: 10 }))).toEqual(named("run"));
  });

  test("leaves out what expired or was revoked, swept or not", async ({ store, advance }) => {
    await create(store, login("short", { subject: "s" }));
    await create(store, login("long", { subject: "s", idleMs: ABSOLUTE_MS }));
    await create(store, login("revoked", { subject: "s", idleMs: ABSOLUTE_MS }));
    await store.revoke(idOf("revoked", "s"));
    await advance(IDLE_MS);
    for (let round = 0; round < 2; round += 1) {
      expect(ids(await store.list({ limit: 10 }))).toEqual(named("long"));
      expect(ids(await store.list({ subject: "s", limit: 10 }))).toEqual(named("long"));
      await store.settle(await store.sweep(10, 1));
    }
  });

  test("refuses a cursor that no page gave", async ({ store }) => {
    for (const cursor of [
      "",
      "x",
      "%00",
      ...["null", "[]", "[1]", '["a",1]', '{"0":1}'].map(base64url),
      "é".repeat(1_000),
    ]) {
      await expect(store.list({ limit: 1, cursor })).rejects.toMatchObject({ code: "input-invalid" });
    }
  });
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
