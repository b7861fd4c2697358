import { describe, expect, it, onTestFinished } from "vitest";
import { RuntimeError } from "../errors.js";
import type { Intercept } from "../testing/intercept-session-store.test.support.js";
import { Interleaving } from "../testing/interleaving.test.support.js";
import { openSessionInstances, SESSION_CONFIG, SESSION_STORES } from "../testing/session-instances.test.support.js";
import { createSessionManager, type SessionManagerOptions } from "./session-manager.js";

const NOT_FOUND = { code: "session-not-found" };
const INVALID = { code: "input-invalid" };
const PERIOD_MS = 500;
const GRACE_MS = 200;
const ROTATION = { periodMs: PERIOD_MS, graceMs: GRACE_MS };
const ORIGIN = { ip: "192.0.2.1", userAgent: "test" };
const NEVER_ISSUED = "A".repeat(80);

const MALFORMED = (token: string): unknown[] => [
  ...["", "x", token.slice(1), `${token}x`, "A".repeat(10_000), `é${token.slice(1)}`],
  ...[undefined, null, 1, [token], { length: 80 }],
];

describe.each(SESSION_STORES)("the token of a session over %s", (kind) => {
  describe("resuming", () => {
    it("gives no other token before the period is over, and asks the store once", async () => {
      const calls: string[] = [];
      const { manager, clock } = await setUp(kind, {}, counting(calls));
      const { session, token } = await manager.create();
      clock.advance(PERIOD_MS - 1);
      calls.length = 0;
      expect(await manager.resume(token)).toMatchObject({ session: { id: session.id }, token: null });
      expect(calls).toEqual(["load"]);
    });

    it("replaces a token as old as the period, and counts the period of the new one from then", async () => {
      const { manager, clock, events } = await setUp(kind);
      const { session, token } = await manager.create();
      clock.advance(PERIOD_MS);
      const resumed = await manager.resume(token, ORIGIN);
      expect(resumed).toMatchObject({ session: { id: session.id, revision: 1 }, token: expect.any(String) });
      const next = resumed?.token as string;
      expect(next).not.toBe(token);
      const told = { kind: "rotated", id: session.id, subject: null, graceMs: GRACE_MS, origin: ORIGIN };
      expect(events.at(-1)).toEqual({ ...told, at: clock.now() });
      clock.advance(PERIOD_MS - 1);
      expect(await manager.resume(next)).toMatchObject({ token: null });
      clock.advance(1);
      expect((await manager.resume(next))?.token).toEqual(expect.any(String));
    });

    it("replaces none when no period is configured", async () => {
      const { manager, clock } = await setUp(kind, { rotation: {} });
      const { token } = await manager.create({ ttlMs: 10_000 });
      clock.advance(9_999);
      expect(await manager.resume(token)).toMatchObject({ token: null });
    });

    it("gives everybody who comes in the grace the same successor, on every instance", async () => {
      const { manager, other, clock, events } = await setUp(kind);
      const { session, token } = await manager.create();
      clock.advance(PERIOD_MS);
      const first = await manager.resume(token);
      clock.advance(GRACE_MS - 1);
      const late = await Promise.all([manager.resume(token), other.resume(token), other.rotate(token)]);
      for (const { token: successor } of late as { token: string }[]) expect(successor).toBe(first?.token);
      expect(await other.load(first?.token as string)).toMatchObject({ id: session.id });
      expect(kinds(events)).toEqual(["created", "rotated"]);
    });

    it("ends the session when a replaced token comes after its grace, and tells whose it was", async () => {
      const { manager, other, clock, events } = await setUp(kind);
      const { session, token } = await manager.create({ subject: "ann" });
      clock.advance(PERIOD_MS);
      const next = (await manager.resume(token))?.token as string;
      clock.advance(GRACE_MS);
      expect(await other.resume(token, ORIGIN)).toBeUndefined();
      expect(events.at(-1)).toMatchObject({ kind: "reused", id: session.id, subject: "ann", origin: ORIGIN });
      expect(await manager.resume(next)).toBeUndefined();
      expect(await manager.load(token)).toBeUndefined();
      expect(kinds(events).slice(-2)).toEqual(["unknown-token", "unknown-token"]);
    });

    it("gives one successor in the orders of 100 seeds in which two instances find the token old", async () => {
      let interleaving = new Interleaving(0);
      let rotations = 0;
      const { manager, other, clock, events } = await setUp(kind, {}, async (method, call) => {
        if (method !== "load" && method !== "rotate") return call();
        if (method === "rotate") rotations += 1;
        await interleaving.step();
        const result = await call();
        await interleaving.step();
        return result;
      });
      for (let seed = 1; seed <= 100; seed += 1) {
        interleaving = new Interleaving(seed);
        const { token } = await manager.create();
        clock.advance(PERIOD_MS);
        const work = [manager, other, manager, other].map((instance) => instance.resume(token));
        events.length = 0;
        await interleaving.run(work);
        const tokens = new Set((await Promise.all(work)).map((resumed) => resumed?.token));
        expect([...tokens], `seed ${seed}`).toEqual([expect.any(String)]);
        const told = kinds(events).filter((told) => told !== "expired");
        expect(told, `seed ${seed}`).toEqual(["rotated"]);
      }
      // Else nobody came second, and nothing was shown.
      expect(rotations).toBeGreaterThan(150);
    });

    it("gives none when the session ends between the look and the replacing, and takes it for nobody's guess", async () => {
      const { manager, store, clock, events } = await setUp(kind, {}, async (method, call) => {
        if (method === "rotate") await store.revoke(id);
        return call();
      });
      const { session, token } = await manager.create();
      const id = session.id;
      clock.advance(PERIOD_MS);
      expect(await manager.resume(token)).toBeUndefined();
      expect(kinds(events)).toEqual(["created"]);
    });

    it("throws when the store fails at the look or at the replacing, instead of letting in or sending away", async () => {
      let failing = "";
      const { manager, clock } = await setUp(kind, {}, async (method, call) => {
        if (method === failing) throw new RuntimeError("store-unavailable", "down");
        return call();
      });
      const { token } = await manager.create();
      clock.advance(PERIOD_MS);
      for (failing of ["load", "rotate"]) {
        await expect(manager.resume(token)).rejects.toMatchObject({ code: "store-unavailable" });
      }
      failing = "";
      expect(await manager.resume(token)).toMatchObject({ token: expect.any(String) });
    });

    it("judges the age by its own clock: one that is ahead replaces early, and logs nobody out", async () => {
      const { manager, store, clock } = await setUp(kind);
      const ahead = createSessionManager({
        ...{ store, config: SESSION_CONFIG, rotation: ROTATION },
        ports: { clock: { ...clock, now: () => clock.now() + PERIOD_MS }, random: { float: () => 0, bytes: ones } },
      });
      const { session, token } = await manager.create();
      const resumed = await ahead.resume(token);
      expect(await manager.resume(token)).toEqual({ ...resumed, session: expect.objectContaining({ id: session.id }) });
    });
  });

  describe("rotating", () => {
    it("hands out a new token and kills the old one at once", async () => {
      const { manager } = await setUp(kind);
      const { session, token } = await manager.create({ data: { a: 1 } });
      const rotated = await manager.rotate(token);
      expect(rotated.token).not.toBe(token);
      expect(rotated.session).toMatchObject({ id: session.id, data: { a: 1 }, revision: 1 });
      expect(await manager.load(token)).toBeUndefined();
      expect(await manager.load(rotated.token)).toMatchObject({ id: session.id });
      await expect(manager.rotate(token)).rejects.toMatchObject(NOT_FOUND);
    });

    it("keeps the old token through its grace, in which rotating it gives the same successor", async () => {
      const { manager, clock } = await setUp(kind);
      const { session, token } = await manager.create();
      const rotated = await manager.rotate(token, 200);
      clock.advance(199);
      expect(await manager.load(token)).toMatchObject({ id: session.id });
      expect((await manager.rotate(token, 200)).token).toBe(rotated.token);
      clock.advance(1);
      await expect(manager.rotate(token)).rejects.toMatchObject(NOT_FOUND);
      expect(await manager.load(rotated.token)).toBeUndefined();
    });

    it("lets one of many concurrent rotations without grace win", async () => {
      const { manager, other } = await setUp(kind);
      const { token } = await manager.create();
      const attempts = Array.from({ length: 20 }, (_, n) => (n % 2 ? manager : other).rotate(token));
      const results = await Promise.allSettled(attempts);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject(NOT_FOUND);
    });

    it("refuses a grace that is no time", async () => {
      const { manager } = await setUp(kind);
      const { token } = await manager.create();
      for (const graceMs of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        await expect(manager.rotate(token, graceMs)).rejects.toMatchObject(INVALID);
      }
      expect(await manager.load(token)).toBeDefined();
    });
  });

  describe("stepping up", () => {
    it("gives a new token, kills the old one at once and keeps the new level and time", async () => {
      const { manager, other, clock, events } = await setUp(kind);
      const { session, token } = await manager.signIn(undefined, { subject: "ann", data: { a: 1 } });
      clock.advance(100);
      const stepped = await manager.stepUp(token, { level: 2, methods: ["pwd", "otp"] }, ORIGIN);
      const signIn = { level: 2, methods: ["pwd", "otp"], at: clock.now() };
      expect(stepped.session).toMatchObject({ id: session.id, subject: "ann", data: { a: 1 }, signIn });
      expect(events.at(-1)).toMatchObject({ kind: "stepped-up", id: session.id, level: 2, origin: ORIGIN });
      expect(await other.load(token)).toBeUndefined();
      expect(await other.load(stepped.token)).toMatchObject({ signIn });
    });

    it("steps up by a token in its grace too, and leaves neither it nor its successor alive", async () => {
      const { manager, clock, events } = await setUp(kind);
      const { token } = await manager.signIn(undefined, { subject: "ann" });
      clock.advance(PERIOD_MS);
      const next = (await manager.resume(token))?.token as string;
      const stepped = await manager.stepUp(token, { level: 2 });
      expect(stepped.session.signIn?.level).toBe(2);
      for (const dead of [token, next]) expect(await manager.load(dead)).toBeUndefined();
      expect(await manager.load(stepped.token)).toMatchObject({ signIn: { level: 2 } });
      expect(kinds(events)).not.toContain("reused");
    });

    it("gives up against somebody who rotates without end", async () => {
      let rotations = 0;
      const { manager, other, store } = await setUp(kind, {}, async (method, call) => {
        const result = await call();
        if (method !== "rotate" || rotations++ > 20) return result;
        return { session: await store.loadById(id), seed: `seed${rotations}` };
      });
      const { session, token } = await other.create();
      const id = session.id;
      await expect(manager.stepUp(token, { level: 2 })).rejects.toMatchObject(NOT_FOUND);
      expect(rotations).toBe(4);
    });

    it("refuses sign-ins out of bounds before it asks the store", async () => {
      const calls: string[] = [];
      const { manager } = await setUp(kind, {}, counting(calls));
      const { token } = await manager.create();
      calls.length = 0;
      for (const level of [0, 10, 1.5, Number.NaN, "2" as never])
        await expect(manager.stepUp(token, { level })).rejects.toMatchObject(INVALID);
      expect(calls).toEqual([]);
    });
  });

  it("never reaches the store when it cannot be one, whatever it is used for, and is told as such", async () => {
    const calls: string[] = [];
    const { manager, events } = await setUp(kind, {}, counting(calls));
    const { token } = await manager.create();
    calls.length = 0;
    events.length = 0;
    for (const text of MALFORMED(token) as string[]) {
      expect(await manager.load(text)).toBeUndefined();
      expect(await manager.resume(text)).toBeUndefined();
      await expect(manager.rotate(text)).rejects.toMatchObject(NOT_FOUND);
      await expect(manager.stepUp(text, { level: 1 })).rejects.toMatchObject(NOT_FOUND);
    }
    expect(calls).toEqual([]);
    expect(events).toHaveLength(4 * MALFORMED(token).length);
    for (const event of events) expect(event).toMatchObject({ kind: "unknown-token", wellFormed: false });
  });

  it("that was never issued is no session's, whatever it is used for, and is told as such", async () => {
    const { manager, events, clock } = await setUp(kind);
    const { session } = await manager.create();
    for (const token of [NEVER_ISSUED, session.id.padEnd(80, "A")]) {
      events.length = 0;
      expect(await manager.load(token, ORIGIN)).toBeUndefined();
      expect(await manager.resume(token, ORIGIN)).toBeUndefined();
      await expect(manager.rotate(token, 0, ORIGIN)).rejects.toMatchObject(NOT_FOUND);
      await expect(manager.stepUp(token, { level: 1 }, ORIGIN)).rejects.toMatchObject(NOT_FOUND);
      const told = { kind: "unknown-token", wellFormed: true, origin: ORIGIN, at: clock.now() };
      expect(events).toEqual([told, told, told, told]);
    }
    expect(await manager.get(session.id)).toBeDefined();
  });

  it("is told once as reused when a replaced one is rotated or stepped up with, and the session is dead", async () => {
    const uses = [
      (manager: Manager, token: string) => manager.rotate(token),
      (manager: Manager, token: string) => manager.stepUp(token, { level: 2 }),
    ];
    for (const use of uses) {
      const { manager, clock, events } = await setUp(kind);
      const { session, token } = await manager.create();
      await manager.rotate(token, GRACE_MS);
      clock.advance(GRACE_MS);
      await expect(use(manager, token)).rejects.toMatchObject(NOT_FOUND);
      expect(kinds(events)).toEqual(["created", "rotated", "reused"]);
      expect(await manager.get(session.id)).toBeUndefined();
    }
  });
});

type Manager = Awaited<ReturnType<typeof setUp>>["manager"];

function kinds(events: readonly { readonly kind: string }[]): string[] {
  return events.map((event) => event.kind);
}

function counting(calls: string[]): Intercept {
  return (method, call) => {
    calls.push(method);
    return call();
  };
}

function ones(length: number): Uint8Array {
  return new Uint8Array(length).fill(1);
}

async function setUp(
  kind: (typeof SESSION_STORES)[number],
  options: Partial<SessionManagerOptions> = {},
  intercept?: Intercept,
) {
  const instances = await openSessionInstances(kind, intercept, { rotation: ROTATION, ...options });
  onTestFinished(instances.close);
  return instances;
}
