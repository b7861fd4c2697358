import { expect, it } from "vitest";
import { createManualClock } from "../../testing/manual-clock.js";
import { create, idOf, login } from "../../testing/session-store/world.js";
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

it("refuses a session beyond its bound as overloaded, until one was revoked, evicted or settled", async () => {
  const clock = createManualClock();
  const store = createMemorySessionStore({ clock, maxSessions: 2 });
  await store.open();
  const overloaded = { code: "overloaded" };
  for (const name of ["a", "b"]) await create(store, login(name, { subject: "s" }));
  await expect(store.create(login("c"))).rejects.toMatchObject(overloaded);
  expect(await store.loadById(idOf("a", "s"))).toBeDefined();
  await store.revoke(idOf("a", "s"));
  await create(store, login("c", { subject: "s" }));
  await create(store, login("d", { subject: "s", limit: { max: 1, policy: "evict-oldest" } }));
  await create(store, login("e"));
  clock.advance(login("e").idleMs);
  await expect(store.create(login("f"))).rejects.toMatchObject(overloaded);
  const expired = await store.sweep(10, 1);
  await expect(store.create(login("f"))).rejects.toMatchObject(overloaded);
  await store.settle(expired);
  await create(store, login("f"));
});
