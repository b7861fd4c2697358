import { type RedisCluster, startRedisCluster } from "@clean-arch/test-servers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { SeededRandom } from "../../simulation/seeded-random.js";
import type { SessionStore } from "../../store/session-store.js";
import { create, hash, idOf, login } from "../../testing/session-store/world.js";
import { announceProxies } from "./cluster-proxies.test.support.js";
import { Keys } from "./keys.js";
import { startMoving } from "./move-slowly.test.support.js";
import { openSessions } from "./own-prefix.test.support.js";
import { answers, until } from "./until.test.support.js";

const UNAVAILABLE = { code: "store-unavailable" };
const LASTING = { idleMs: 600_000, absoluteMs: 600_000 };

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster({ persistence: "everysec" });
});
afterAll(() => cluster.remove());

describe("a slot that is on its way from one node to another", () => {
  /** Letters of record.lua: of all that there is of a session, what has gone over. */
  it.each(["s", "e", "i", "l", "d", "se", "sei"])(
    "with %s over there: no answer is wrong, and no session half",
    async (gone) => {
      const prefix = `half-${gone}:`;
      const subject = "s";
      // So long that the driver has stopped asking again by the time of the answer.
      const store = await openStore(cluster.urls, { prefix, commandTimeoutMs: 10_000 });
      const { id } = await create(store, login("a", { subject, ...LASTING }));
      const base = new Keys(prefix).base(id);
      const slot = await startMoving(cluster, base, new SeededRandom(gone.length));
      for (const key of slot.keys)
        if (key.startsWith(base) && gone.includes(key.charAt(base.length))) await slot.move(key);

      const [changes, reads] = await Promise.all([
        Promise.allSettled([
          store.commit(id, { set: { n: 1 } }),
          store.rotate(id, { oldTokenHash: hash("a"), newTokenHash: hash("b"), seed: "s", graceMs: 0 }),
          store.create(login("b", { subject, ...LASTING })),
          store.list({ subject, limit: 10 }),
          store.revoke(id),
          store.revokeSubject(subject),
        ]),
        Promise.allSettled([store.loadById(id), store.load(id, hash("a"), { touch: true })]),
      ]);
      // Before anything is asserted: the next test needs the cluster whole.
      await slot.finish();
      for (const change of changes) expect(change).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
      // A read may know: when record and epoch are in one place.
      for (const read of reads)
        expect(read).toMatchObject(
          read.status === "fulfilled" ? { value: { id, revision: 1, data: {} } } : { reason: UNAVAILABLE },
        );
      expect(await store.load(id, hash("a"), { touch: true })).toMatchObject({ id, revision: 1, data: {} });
      expect((await store.list({ subject, limit: 10 })).items).toMatchObject([{ id }]);
      expect(await store.revokeSubject(subject)).toBe(1);
    },
  );
});

describe("a reply that is lost", () => {
  it("is not asked for again: the change was made, once", async () => {
    const { urls, proxies, close } = await announceProxies(cluster);
    onTestFinished(close);
    const store = await openStore(urls, { prefix: "lost:" });
    const { id } = await create(store, login("a", LASTING));
    await store.commit(id, { set: { n: 0 } });
    for (const proxy of proxies) proxy.swallow({ request: (chunk) => chunk.includes("evalsha") });
    await expect(store.commit(id, { set: { n: 1 } })).rejects.toMatchObject(UNAVAILABLE);
    for (const proxy of proxies) proxy.calm();
    await untilAnswers(store);
    expect(proxies.reduce((sum, { counts }) => sum + counts.swallowed, 0)).toBe(1);
    expect(await store.loadById(id)).toMatchObject({ data: { n: 1 }, revision: 3 });
  });
});

describe("a master that is killed", () => {
  it("takes its own sessions away until it is back; the others go on, or are unavailable where all are needed", async () => {
    for (const node of cluster.nodes) await node.command("CONFIG", "SET", "cluster-require-full-coverage", "no");
    const keys = new Keys("killed:");
    const store = await openStore(cluster.urls, { prefix: "killed:" });
    const [killed] = cluster.nodes;
    if (killed === undefined) throw new Error("expected a node");
    const subjects = Array.from({ length: 12 }, (_, n) => `s${n}`);
    const lost: string[] = [];
    const kept: string[] = [];
    for (const subject of subjects) {
      await create(store, login("a", { subject, ...LASTING }));
      const slot = Number(await killed.command("CLUSTER", "KEYSLOT", keys.baseOfSubject(subject)));
      ((await cluster.ownerOf(slot)) === killed ? lost : kept).push(subject);
    }
    expect(lost.length * kept.length).toBeGreaterThan(0);
    const commit = (subject: string, n: number): Promise<unknown> => store.commit(idOf("a", subject), { set: { n } });

    await killed.kill();
    for (const subject of lost) await expect(commit(subject, 1)).rejects.toMatchObject(UNAVAILABLE);
    for (const subject of kept) await until(() => settles(commit(subject, 1)));
    await expect(store.list({ limit: 10 })).rejects.toMatchObject(UNAVAILABLE);

    for (const node of cluster.nodes.slice(1))
      await node.command("CONFIG", "SET", "cluster-require-full-coverage", "yes");
    await until(async () => !(await settles(commit(kept[0] as string, 2))));
    await expect(commit(kept[0] as string, 2)).rejects.toMatchObject(UNAVAILABLE);

    await killed.start();
    await cluster.waitUntilOk();
    for (const subject of subjects) {
      await until(() => settles(commit(subject, 3)));
      expect(await store.loadById(idOf("a", subject))).toMatchObject({ data: { n: 3 } });
      expect(await store.revokeSubject(subject)).toBe(1);
    }
  }, 60_000);
});

async function openStore(
  url: readonly string[],
  options: { readonly prefix: string; readonly commandTimeoutMs?: number },
): Promise<SessionStore> {
  const store = await openSessions({ url, commandTimeoutMs: 500, ...options });
  onTestFinished(() => store.close());
  return store;
}

function settles(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}

function untilAnswers(store: SessionStore): Promise<void> {
  return until(() => answers(store));
}
