import { type FaultyProxy, type RedisPair, startFaultyProxy, startRedisPair } from "@clean-arch/test-servers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sleep, systemPorts } from "../../ports.js";
import { SeededRandom } from "../../simulation/seeded-random.js";
import type { SessionStore } from "../../store/session-store.js";
import { create, expectDead, hash, idOf, ids, login, rotation } from "../../testing/session-store/world.js";
import { openSessions } from "./own-prefix.test.support.js";
import { answers, until } from "./until.test.support.js";

/**
 * Replication is asynchronous, so what the replica did not have when it took over is as if it had never been acknowledged,
 * logouts included. What is asserted here of a lost logout is this limit, not a wish.
 */
const UNAVAILABLE = { code: "store-unavailable" };
const LASTING = { idleMs: 600_000, absoluteMs: 600_000 };

let pair: RedisPair;
let proxy: FaultyProxy;
let store: SessionStore;

beforeEach(async () => {
  pair = await startRedisPair();
  proxy = await startFaultyProxy({ to: pair.primary.port });
  store = await openSessions({ url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 1_000 });
});
afterEach(async () => {
  await store.close();
  await proxy.close();
  await pair.remove();
});

describe("a failover that loses the last writes", () => {
  it("takes each of them back whole", async () => {
    for (const name of ["changed", "rotated", "revoked"])
      await create(store, login(name, { subject: "s", ...LASTING }));
    for (const name of ["a", "b"]) await create(store, login(name, { subject: "ended", ...LASTING }));
    const at = (name: string): string => idOf(name, "s");

    await failOver(async () => {
      await create(store, login("made", { subject: "s", ...LASTING }));
      await create(store, login("first", { subject: "new", ...LASTING }));
      await store.commit(at("changed"), { set: { a: 1, b: 1 } });
      await store.rotate(at("rotated"), rotation("rotated", "successor", 0));
      expect(await store.revoke(at("revoked"))).toBeDefined();
      expect(await store.revokeSubject("ended")).toBe(2);
    });

    await expectDead(store, at("made"), "made");
    await expectDead(store, idOf("first", "new"), "first");
    expect(await store.list({ subject: "new", limit: 10 })).toEqual({ items: [], nextCursor: null });
    expect(await store.commit(at("made"), { set: { a: 1 } })).toBe("not-found");
    expect(await store.loadById(at("changed"))).toMatchObject({ revision: 1, data: {} });
    expect(await store.load(at("rotated"), hash("successor"), { touch: true })).toBeUndefined();
    expect(await store.load(at("rotated"), hash("rotated"), { touch: true })).toMatchObject({ revision: 1 });
    expect(await store.load(at("revoked"), hash("revoked"), { touch: true })).toMatchObject({ revision: 1 });
    expect(ids(await store.list({ subject: "s", limit: 10 })).sort()).toEqual(
      ["changed", "revoked", "rotated"].map(at).sort(),
    );
    expect(await store.revokeSubject("ended")).toBe(2);
    expect(await store.revokeSubject("s")).toBe(3);
    for (const name of ["changed", "rotated", "revoked"]) await expectDead(store, at(name), name);
  });

  it("lets a session that was ended in them live until its deadline, and no longer", async () => {
    const { id, expiresAt } = await create(store, login("a", { subject: "s", idleMs: 2_500 }));
    await failOver(async () => void (await store.revoke(id)));
    expect(await store.loadById(id)).toMatchObject({ id });
    while (systemPorts.clock.now() < expiresAt) await sleep(systemPorts.clock, 20);
    await expectDead(store, id, "a");
    expect(await store.sweep(10, 1_000)).toMatchObject([{ id, expiredAt: expiresAt }]);
  });

  it.each([1, 2, 3])("leaves list, index, epoch and records of one mind, wherever it cuts (seed %i)", async (seed) => {
    const made: { readonly id: string; readonly subject: string }[] = [];
    const random = new SeededRandom(seed);
    let running = true;
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; running; n += 1) {
        const subject = `s${random.below(4)}`;
        const id = idOf(`w${writer}-${n}`, subject);
        made.push({ id, subject });
        const limit = random.chance(0.3) ? { limit: { max: 12, policy: "evict-oldest" as const } } : {};
        try {
          await store.create(login(`w${writer}-${n}`, { subject, ...LASTING, ...limit }));
          await store.commit(id, { set: { a: n, b: n } });
          const other = random.pick(made);
          if (random.chance(0.3)) await store.revoke(other.id);
          else if (random.chance(0.05)) await store.revokeSubject(subject, random.chance(0.5) ? id : undefined);
          else await store.commit(other.id, { set: { a: -n, b: -n } });
        } catch (error) {
          expect(error).toMatchObject(UNAVAILABLE);
          await sleep(systemPorts.clock, 5);
        }
      }
    };
    const writers = Promise.all([1, 2, 3, 4].map(write));
    await until(async () => made.length > 100);
    const before = made.length;
    pair.detach();
    await until(async () => made.length > before + 40);
    await pair.promote();
    running = false;
    proxy.retarget(pair.replica.port);
    await writers;
    await until(() => answers(store));

    for (const subject of ["s0", "s1", "s2", "s3"]) {
      const known = made.filter((one) => one.subject === subject).map(({ id }) => id);
      const found = await Promise.all(known.map((id) => store.loadById(id)));
      const live = found.flatMap((record) => record ?? []);
      for (const { data, revision } of live) {
        expect(data.a).toBe(data.b);
        expect(revision === 1).toBe(data.a === undefined);
      }
      const listed = ids(await store.list({ subject, limit: 200 }));
      expect(listed.sort()).toEqual(live.map(({ id }) => id).sort());
      expect(await store.revokeSubject(subject)).toBe(live.length);
      for (const id of known) expect(await store.loadById(id)).toBeUndefined();
    }
  });
});

describe("an address that leads to what is a replica now", () => {
  it("is unavailable for changes, and connected anew by the first of them", async () => {
    const { id } = await create(store, login("a", LASTING));
    await pair.waitInSync();
    await pair.promote();
    await pair.primary.command("REPLICAOF", "127.0.0.1", String(pair.replica.port));
    const { connections } = proxy.counts;
    await expect(store.commit(id, { set: { a: 1 } })).rejects.toMatchObject(UNAVAILABLE);
    await until(async () => proxy.counts.connections > connections);
    proxy.retarget(pair.replica.port);
    await until(() => answers(store));
    expect(await store.commit(id, { set: { a: 1 } })).toMatchObject({ revision: 2 });
  });
});

/** What `tail` does is acknowledged, and lost. */
async function failOver(tail: () => Promise<void>): Promise<void> {
  await pair.waitInSync();
  pair.detach();
  await tail();
  await pair.promote();
  proxy.retarget(pair.replica.port);
  await until(() => answers(store));
}
