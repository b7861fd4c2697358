import { expect, it } from "vitest";
import type { NewSession } from "../../store/session-store.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { sessionStoreContract } from "../../testing/session-store-contract.js";
import { createMemorySessionStore } from "./session-store.js";

sessionStoreContract("memory", {
  async open() {
    const clock = createManualClock();
    const store = createMemorySessionStore({ clock });
    await store.open();
    return { store, advance: clock.advance, close: () => store.close() };
  },
});

it("refuses a session beyond its bound as overloaded, until one ended or was swept", async () => {
  const clock = createManualClock();
  const store = createMemorySessionStore({ clock, maxSessions: 2 });
  await store.open();
  await store.create(session("a"));
  await store.create(session("b"));
  await expect(store.create(session("c"))).rejects.toMatchObject({ code: "overloaded" });
  expect(await store.loadById("a")).toBeDefined();
  await store.revoke("a");
  expect(await store.create(session("c"))).toMatchObject({ id: "c" });
  clock.advance(1_000);
  await expect(store.create(session("d"))).rejects.toMatchObject({ code: "overloaded" });
  expect(await store.sweep(10)).toHaveLength(2);
  expect(await store.create(session("d"))).toMatchObject({ id: "d" });
});

function session(id: string): NewSession {
  return { id, kind: "login", tokenHash: `hash of ${id}`, subject: null, data: {}, idleMs: 1_000, absoluteMs: 1_000 };
}
