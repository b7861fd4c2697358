import { expect } from "vitest";
import { ABSOLUTE_MS, context, create, cursorOf, IDLE_MS, ids, login, type Test } from "./world.js";

/** Pages of live sessions. */
export function listing(test: Test): void {
  test("pages through live logins, newest first, each once, though others come and go", async ({
    store,
    other,
    advance,
  }) => {
    for (let n = 0; n < 7; n += 1) {
      await create(store, login(`s${n}`, { idleMs: ABSOLUTE_MS }));
      // Two share each moment: the id decides between them.
      if (n % 2) await advance(1);
    }
    const first = await store.list({ limit: 2 });
    expect(ids(first)).toEqual(["s6", "s5"]);
    await create(store, login("newer"));
    await store.revoke("s5");
    await store.revoke("s2");
    const second = await other.list({ limit: 3, ...cursorOf(first) });
    expect(ids(second)).toEqual(["s4", "s3", "s1"]);
    const third = await store.list({ limit: 3, ...cursorOf(second) });
    expect(ids(third)).toEqual(["s0"]);
    expect(third.nextCursor).toBeNull();
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
