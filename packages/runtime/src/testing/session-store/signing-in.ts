import { expect } from "vitest";
import { create, GRACE_MS, hash, IDLE_MS, idOf, load, login, rotation, type Test } from "./world.js";

/** How the subject proved who it is, and what the request said of its device. */
export function signingIn(test: Test): void {
  const a = idOf("a");

  test("dates a sign-in by the store's clock, unless it was before, and never of the future", async ({ store }) => {
    const { createdAt, signIn } = await create(store, login("now", { signIn: { level: 1 } }));
    expect(signIn).toEqual({ level: 1, methods: [], at: createdAt });
    const at = createdAt - 60_000;
    const before = await create(store, login("before", { signIn: { level: 2, methods: ["pwd", "otp"], at } }));
    expect(before.signIn).toEqual({ level: 2, methods: ["pwd", "otp"], at });
    const future = await create(store, login("future", { signIn: { level: 2, at: createdAt + 60_000 } }));
    expect(future.signIn).toEqual({ level: 2, methods: [], at: createdAt });
    expect((await create(store, login("never", { signIn: null }))).signIn).toBeNull();
  });

  test("keeps sign-in and device through commits, touches and rotations, wherever they are read", async ({
    store,
    other,
    advance,
  }) => {
    const device = { ip: "2001:db8::1", userAgent: 'agent "x"; 語 \r\n \u2028', label: "" };
    const created = await create(store, login("a", { signIn: { level: 2, methods: ["pwd"] }, device }));
    const { signIn } = created;
    expect(created.device).toStrictEqual(device);
    await advance(IDLE_MS / 2);
    const rotated = await store.rotate(a, rotation("a", "b", GRACE_MS));
    const seen = [
      await store.commit(a, { set: { signIn: null, device: null } }),
      await store.commit(a, {}, { returning: "head" }),
      await load(other, a, "b", true),
      await load(other, a, "a"),
      await other.loadById(a),
      (await other.list({ limit: 1 })).items[0],
      typeof rotated === "object" && "session" in rotated ? rotated.session : undefined,
    ];
    for (const session of seen) expect(session).toMatchObject({ signIn, device });
  });

  test("keeps of a device what was said and nothing else, and hands out copies", async ({ store }) => {
    const device = { ip: "::1" };
    const methods = ["pwd"];
    const created = await create(store, login("a", { device, signIn: { level: 1, methods } }));
    device.ip = "changed";
    methods.push("otp");
    (created.device as { ip: string }).ip = "changed too";
    (created.signIn as unknown as { methods: string[] }).methods.push("otp too");
    const session = await store.loadById(a);
    expect(session?.device).toStrictEqual({ ip: "::1" });
    expect(session?.signIn?.methods).toEqual(["pwd"]);
  });

  test("a rotation with a sign-in replaces it, dated by its own moment at most, and leaves the device", async ({
    store,
    other,
    advance,
  }) => {
    const device = { ip: "::1", label: "phone" };
    const { createdAt } = await create(store, login("a", { device }));
    await advance(10);
    const first = await store.rotate(a, rotation("a", "b", 0, { signIn: { level: 1, methods: ["pwd"] } }));
    expect(first).toMatchObject({ session: { signIn: { level: 1, methods: ["pwd"], at: createdAt + 10 } } });
    await advance(10);
    const at = createdAt + 60_000;
    const second = await store.rotate(a, rotation("b", "c", 0, { signIn: { level: 2, at } }));
    const signIn = { level: 2, methods: [], at: createdAt + 20 };
    expect(second).toHaveProperty("session.signIn", signIn);
    await store.rotate(a, rotation("c", "d", 0));
    const last = await load(other, a, "d");
    expect(last?.signIn).toEqual(signIn);
    expect(last?.device).toStrictEqual(device);
  });

  test("a rotation that finds the token dead signs nobody in", async ({ store }) => {
    await create(store, login("a"));
    await store.rotate(a, rotation("a", "b", 0));
    const signIn = { level: 2 };
    expect(await store.rotate(a, rotation("a", "c", 0, { signIn }))).toBe("not-found");
    expect(await store.rotate(a, rotation("nobody", "c", 0, { signIn }))).toBe("not-found");
    expect(await store.load(a, hash("b"), { touch: false })).toMatchObject({ signIn: null });
  });
}
