import { describe, expect, it, onTestFinished } from "vitest";
import { RuntimeError } from "../errors.js";
import { MAX_DATA_BYTES } from "../store/session-data.js";
import type { Intercept } from "../testing/intercept-session-store.test.support.js";
import { Interleaving } from "../testing/interleaving.test.support.js";
import { openSessionInstances, SESSION_CONFIG, SESSION_STORES } from "../testing/session-instances.test.support.js";
import { createSessionManager, type SessionManagerOptions } from "./session-manager.js";

const ORIGIN = { ip: "192.0.2.1" };
const NOT_FOUND = { code: "session-not-found" };
const DENY_2 = { limits: { perSubject: 2, policy: "deny" } } as const;

describe.each(SESSION_STORES)("signing in over %s", (kind) => {
  it("creates a session of the subject, by default of level 1 and of now, and tells of it", async () => {
    const { manager, clock, events } = await setUp(kind);
    const device = { ip: "192.0.2.1", userAgent: "test", label: "work" };
    const { session, token } = await manager.signIn(undefined, { subject: "ann", ttlMs: 500, device }, ORIGIN);
    const signIn = { level: 1, methods: [], at: clock.now() };
    expect(session).toMatchObject({ subject: "ann", revision: 1, signIn, device });
    expect(session.data).toEqual({});
    expect(session.expiresAt).toBe(clock.now() + 500);
    expect(await manager.load(token)).toEqual(session);
    const told = { kind: "signed-in", id: session.id, subject: "ann", level: 1, formerId: null };
    expect(events).toEqual([{ ...told, at: clock.now(), origin: ORIGIN }]);
  });

  it("takes the data of the session without a subject along, under a new id and token, and ends that session", async () => {
    const { manager, other, events } = await setUp(kind);
    const former = await manager.create({ data: { cart: ["lamp"], step: 1 } });
    const request = { subject: "ann", data: { step: 2 }, signIn: { level: 2, methods: ["pwd", "otp"] } };
    const { session, token } = await manager.signIn(former.token, request);
    expect(session).toMatchObject({ subject: "ann", data: { cart: ["lamp"], step: 2 }, signIn: { level: 2 } });
    expect(session.id).not.toBe(former.session.id);
    expect(token.slice(36)).not.toBe(former.token.slice(36));
    expect(await other.load(former.token)).toBeUndefined();
    expect(await other.get(former.session.id)).toBeUndefined();
    expect(await other.load(token)).toMatchObject({ id: session.id });
    expect(events[1]).toMatchObject({ kind: "signed-in", level: 2, formerId: former.session.id });
  });

  it("takes nothing along when told so, nor anything of another subject, and ends the former session all the same", async () => {
    const { manager } = await setUp(kind);
    const anonymous = await manager.create({ data: { secret: 1 } });
    const bobs = await manager.signIn(undefined, { subject: "bob", data: { secret: 1 } });
    const requests = [
      [anonymous.token, { subject: "ann", keepData: false, data: { a: 1 } }],
      [bobs.token, { subject: "ann", data: { a: 1 } }],
    ] as const;
    for (const [token, request] of requests) {
      expect((await manager.signIn(token, request)).session.data).toEqual({ a: 1 });
      expect(await manager.load(token)).toBeUndefined();
    }
  });

  it("replaces a session of the same subject too, with its data, and counts it no more", async () => {
    const { manager } = await setUp(kind, { limits: { perSubject: 1, policy: "deny" } });
    const first = await manager.signIn(undefined, { subject: "ann", data: { a: 1 } });
    const second = await manager.signIn(first.token, { subject: "ann" });
    expect(second.session.id).not.toBe(first.session.id);
    expect(second.session.data).toEqual({ a: 1 });
    expect(await manager.load(first.token)).toBeUndefined();
    expect((await manager.list({ subject: "ann" })).items.map(({ id }) => id)).toEqual([second.session.id]);
  });

  it("is a plain sign-in for a token that leads to no session, and says whether it was reused", async () => {
    const { manager, clock, events } = await setUp(kind);
    const ended = await manager.create({ data: { secret: 1 } });
    await manager.destroy(ended.session.id);
    const stolen = await manager.create({ data: { secret: 1 } });
    await manager.rotate(stolen.token, 100);
    clock.advance(100);
    for (const [token, told] of [
      [ended.token, "unknown-token"],
      ["x", "unknown-token"],
      [stolen.token, "reused"],
    ] as const) {
      events.length = 0;
      expect((await manager.signIn(token, { subject: "ann" })).session.data).toEqual({});
      expect(events).toMatchObject([{ kind: told }, { kind: "signed-in", formerId: null }]);
    }
    expect(await manager.get(stolen.session.id)).toBeUndefined();
  });

  it("ends the session of a token in its grace, with that token and its successor", async () => {
    const { manager } = await setUp(kind);
    const former = await manager.create({ data: { a: 1 } });
    const successor = (await manager.rotate(former.token, 100)).token;
    expect((await manager.signIn(former.token, { subject: "ann" })).session.data).toEqual({ a: 1 });
    for (const token of [former.token, successor]) expect(await manager.load(token)).toBeUndefined();
  });

  it("kills the former session for every write that is under way", async () => {
    const { manager, other } = await setUp(kind);
    const { session, token } = await manager.create({ data: { a: { b: 1 } } });
    await manager.signIn(token, { subject: "ann" });
    await expect(other.update(session.id, { c: 1 })).rejects.toMatchObject(NOT_FOUND);
    await expect(other.update(session.id, { a: { c: 1 } })).rejects.toMatchObject(NOT_FOUND);
    await expect(other.write(session.id, { set: { c: 1 } })).rejects.toMatchObject(NOT_FOUND);
    await expect(other.rotate(token)).rejects.toMatchObject(NOT_FOUND);
    await expect(other.stepUp(token, { level: 2 })).rejects.toMatchObject(NOT_FOUND);
  });

  it("takes along each write that was acknowledged, and fails each other one, in the orders of 300 seeds", async () => {
    const { manager, other, play } = await setUpPlay(kind);
    const seen = { kept: 0, refused: 0 };
    for (let seed = 1; seed <= 300; seed += 1) {
      const { session, token } = await manager.create({ data: { shared: {} } });
      const writes = (): Promise<unknown>[] => [
        other.update(session.id, { a: 1 }),
        other.update(session.id, { shared: { b: 1 } }),
        manager.write(session.id, { set: { c: 1 } }),
      ];
      const [signedIn, ...written] = await play(seed, () => [
        manager.signIn(token, { subject: `s${seed}` }),
        ...writes(),
      ]);
      if (signedIn?.status !== "fulfilled") throw new Error(`seed ${seed}: ${String(signedIn?.reason)}`);
      const acknowledged = written.map(({ status }) => status === "fulfilled");
      const { data } = (signedIn.value as Awaited<ReturnType<typeof manager.signIn>>).session;
      const found = ["a" in data, "b" in (data.shared as object), "c" in data];
      expect(found, `seed ${seed}`).toEqual(acknowledged);
      for (const result of written) if (result.status === "rejected") expect(result.reason).toMatchObject(NOT_FOUND);
      seen.kept += acknowledged.filter((isKept) => isKept).length;
      seen.refused += acknowledged.filter((isKept) => !isKept).length;
    }
    expect(Math.min(seen.kept, seen.refused)).toBeGreaterThan(100);
  });

  it("carries nothing over a logout that came before the end, in the orders of 100 seeds", async () => {
    const { manager, other, play } = await setUpPlay(kind);
    let logouts = 0;
    for (let seed = 1; seed <= 100; seed += 1) {
      const { session, token } = await manager.create({ data: { secret: 1 } });
      const [signedIn, loggedOut] = await play(seed, () => [
        manager.signIn(token, { subject: `s${seed}` }),
        other.destroy(session.id),
      ]);
      const { session: made } = (signedIn as PromiseFulfilledResult<{ session: { data: object } }>).value;
      const wasLoggedOut = (loggedOut as PromiseFulfilledResult<unknown>).value === true;
      expect(made.data, `seed ${seed}`).toEqual(wasLoggedOut ? {} : { secret: 1 });
      if (wasLoggedOut) logouts += 1;
    }
    expect(logouts).toBeGreaterThan(10);
    expect(logouts).toBeLessThan(90);
  });

  it("gives the data to one of two who sign in with one token, and leaves no more sessions than the limit", async () => {
    const { manager, other, play } = await setUpPlay(kind, { limits: { perSubject: 1, policy: "evict-oldest" } });
    for (let seed = 1; seed <= 100; seed += 1) {
      const { token } = await manager.signIn(undefined, { subject: `s${seed}`, data: { a: 1 } });
      const request = { subject: `s${seed}` };
      const results = await play(seed, () => [manager.signIn(token, request), other.signIn(token, request)]);
      const data = results.map(
        (result) => (result as PromiseFulfilledResult<{ session: { data: object } }>).value.session.data,
      );
      expect(
        data.filter((kept) => "a" in kept),
        `seed ${seed}`,
      ).toHaveLength(1);
      const { items } = await manager.list(request);
      expect(items, `seed ${seed}`).toHaveLength(1);
    }
  });

  it("never leaves two sessions, whichever store call is the last before the process dies", async () => {
    const outcomes: string[] = [];
    for (let dieAfter = 0; dieAfter <= 3; dieAfter += 1) {
      let calls = Number.NEGATIVE_INFINITY;
      const { manager, store } = await setUp(kind, {}, async (_method, call) => {
        if (calls++ >= dieAfter) return new Promise(() => {});
        return call();
      });
      const { session, token } = await manager.create({ data: { a: 1 } });
      calls = 0;
      const isDone = await Promise.race([
        manager.signIn(token, { subject: "ann" }).then(() => true),
        settled(() => calls > dieAfter),
      ]);
      calls = Number.NEGATIVE_INFINITY;
      const isFormerLive = (await store.loadById(session.id)) !== undefined;
      const made = (await store.list({ subject: "ann", limit: 10 })).items.length;
      expect(Number(isFormerLive) + made).toBeLessThan(2);
      outcomes.push(`former ${isFormerLive ? "live" : "dead"}, new ${made}, ${isDone ? "done" : "died"}`);
    }
    expect(outcomes).toEqual([
      "former live, new 0, died",
      "former live, new 0, died",
      "former dead, new 0, died",
      "former dead, new 1, done",
    ]);
  });

  it("keeps the former session when the new one is refused: by bounds, size or a denying limit", async () => {
    const { manager, events } = await setUp(kind, DENY_2);
    for (let n = 0; n < 2; n += 1) await manager.signIn(undefined, { subject: "ann" });
    const half = "x".repeat(MAX_DATA_BYTES.login / 2);
    const former = await manager.create({ data: { half } });
    events.length = 0;
    const invalid = { code: "input-invalid" };
    const refusals = [
      [{ subject: "" }, invalid],
      [{ subject: undefined as never }, invalid],
      [{ subject: "bob", signIn: { level: 0 } }, invalid],
      [{ subject: "bob", lifetimeMs: 0 }, invalid],
      [{ subject: "bob", data: [] as never }, invalid],
      [{ subject: "bob", data: { other: half } }, { code: "payload-too-large" }],
      [{ subject: "ann" }, { code: "session-limit-reached", details: { max: 2 } }],
    ] as const;
    for (const [request, error] of refusals) {
      await expect(manager.signIn(former.token, request), JSON.stringify(request).slice(0, 40)).rejects.toMatchObject(
        error,
      );
    }
    expect(await manager.load(former.token)).toMatchObject({ data: { half } });
    expect(events).toMatchObject([{ kind: "limit-reached", subject: "ann", max: 2 }]);
    expect((await manager.signIn(former.token, { subject: "bob" })).session.data).toEqual({ half });
  });

  it("keeps the former session when its subject already has more than a limit that was lowered", async () => {
    const { manager, store, clock } = await setUp(kind, { limits: { perSubject: 1, policy: "deny" } });
    const before = createSessionManager({ store, config: SESSION_CONFIG });
    await before.create({ subject: "ann" });
    clock.advance(1);
    const former = await before.create({ subject: "ann" });
    const signingIn = manager.signIn(former.token, { subject: "ann" });
    await expect(signingIn).rejects.toMatchObject({ code: "session-limit-reached" });
    expect(await manager.get(former.session.id)).toBeDefined();
  });

  it("costs nothing when the store fails at the look or at the end of the former session", async () => {
    let failing = "";
    const { manager } = await setUp(kind, {}, async (method, call) => {
      if (method === failing) throw new RuntimeError("store-unavailable", "down");
      return call();
    });
    const former = await manager.create({ data: { a: 1 } });
    for (failing of ["load", "revoke"]) {
      const signingIn = manager.signIn(former.token, { subject: "ann" });
      await expect(signingIn).rejects.toMatchObject({ code: "store-unavailable" });
    }
    failing = "";
    expect((await manager.signIn(former.token, { subject: "ann" })).session.data).toEqual({ a: 1 });
  });

  it("throws and tells that the former session is gone when the store fails exactly between", async () => {
    let isFailing = false;
    const { manager, events } = await setUp(kind, {}, async (method, call) => {
      if (method === "create" && isFailing) throw new RuntimeError("store-unavailable", "down");
      return call();
    });
    const former = await manager.create();
    isFailing = true;
    const signingIn = manager.signIn(former.token, { subject: "ann" }, ORIGIN);
    await expect(signingIn).rejects.toMatchObject({ code: "store-unavailable" });
    expect(events.slice(1)).toMatchObject([{ kind: "revoked", id: former.session.id, origin: ORIGIN }]);
    expect(await manager.load(former.token)).toBeUndefined();
  });

  it("throws and tells both when others fill a denying limit exactly between", async () => {
    const { manager, store, other, events } = await setUp(kind, DENY_2, async (method, call) => {
      const result = await call();
      if (method === "revoke") for (let n = 0; n < 2; n += 1) await other.create({ subject: "ann" });
      return result;
    });
    const former = await manager.create();
    const signingIn = manager.signIn(former.token, { subject: "ann" });
    await expect(signingIn).rejects.toMatchObject({ code: "session-limit-reached" });
    expect(events.map(({ kind }) => kind).slice(-2)).toEqual(["limit-reached", "revoked"]);
    expect((await store.list({ subject: "ann", limit: 10 })).items).toHaveLength(2);
  });
});

/** True only when the condition came to hold: waits by turns, not by time. */
async function settled(condition: () => boolean): Promise<false> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  return false;
}

async function setUpPlay(kind: (typeof SESSION_STORES)[number], options: Partial<SessionManagerOptions> = {}) {
  let interleaving: Interleaving | undefined;
  const instances = await setUp(kind, options, async (_method, call) => {
    await interleaving?.step();
    const result = await call();
    await interleaving?.step();
    return result;
  });
  const play = async (seed: number, work: () => Promise<unknown>[]): Promise<PromiseSettledResult<unknown>[]> => {
    interleaving = new Interleaving(seed);
    const results = await interleaving.run(work());
    interleaving = undefined;
    return results;
  };
  return { ...instances, play };
}

async function setUp(
  kind: (typeof SESSION_STORES)[number],
  options: Partial<SessionManagerOptions> = {},
  intercept?: Intercept,
) {
  const instances = await openSessionInstances(kind, intercept, options);
  onTestFinished(instances.close);
  return instances;
}
