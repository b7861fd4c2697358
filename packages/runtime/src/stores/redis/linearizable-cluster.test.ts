import { type RedisCluster, startRedisCluster } from "@clean-arch/test-servers";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { sleep, systemPorts } from "../../ports.js";
import { SeededRandom } from "../../simulation/seeded-random.js";
import type { SessionStore } from "../../store/session-store.js";
import { announceProxies } from "./cluster-proxies.test.support.js";
import { Keys } from "./keys.js";
import { checkSeeds, SEEDS, whenItAnswers } from "./linearizable.test.support.js";
import { moveSlowly } from "./move-slowly.test.support.js";
import { openSessions } from "./own-prefix.test.support.js";
import { openTimedSessions } from "./throwaway.test.support.js";
import { answers, until } from "./until.test.support.js";

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.remove());

it("concurrent calls on two instances are explained by some order of them, in every seed", async () => {
  const { store, peer, clock, advance, close } = await openTimedSessions(cluster.urls, cluster.nodes);
  onTestFinished(close);
  const tally = await checkSeeds({ count: SEEDS, stores: [store, peer], time: { now: clock.now, advance } });
  expect(tally.missing(SEEDS / 20)).toEqual([]);
  expect(tally.unknown).toBe(0);
}, 120_000);

it("so are they while slots move, key by key", async () => {
  const prefix = "moving:";
  const stores: SessionStore[] = [];
  for (let n = 0; n < 3; n += 1) stores.push(await openSessions({ url: cluster.urls, prefix }));
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
  const keys = new Keys(prefix);
  let moved = 0;
  const tally = await checkSeeds({
    ...{ count: SEEDS / 2, stores, calls: 12, pause: whenItAnswers },
    beside: async (seeds, done) => {
      const random = new SeededRandom(seeds[0] ?? 0);
      while (!done.aborted) {
        await moveSlowly(cluster, keys.baseOfSubject(`subject ${random.pick(seeds)}`), random);
        moved += 1;
      }
    },
  });
  expect(tally.missing(SEEDS / 40, { timed: false })).toEqual([]);
  expect(moved).toBeGreaterThan(SEEDS / 40);
}, 240_000);

it("so are they when connections of nodes break, and replies are lost", async () => {
  const { urls, proxies, close } = await announceProxies(cluster);
  onTestFinished(close);
  const stores: SessionStore[] = [];
  for (let n = 0; n < 2; n += 1)
    stores.push(await openSessions({ url: urls, prefix: "faulty:", commandTimeoutMs: 300 }));
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
  const tally = await checkSeeds({
    ...{ count: SEEDS / 2, stores, calls: 8, pause: whenItAnswers },
    beside: async ([first], done) => {
      const random = new SeededRandom(first ?? 0);
      while (!done.aborted) {
        const proxy = random.pick(proxies);
        if (random.chance(0.3)) proxy.reset();
        else proxy.swallow({ request: (chunk) => chunk.includes("evalsha") });
        // How long it lasts is a part of the fault; nothing is concluded from it.
        await sleep(systemPorts.clock, 20 + random.below(40), done);
        for (const store of stores) await until(() => answers(store), done);
      }
      for (const proxy of proxies) proxy.calm();
    },
  });
  expect(tally.missing(SEEDS / 40, { timed: false })).toEqual([]);
  expect(proxies.reduce((sum, { counts }) => sum + counts.swallowed, 0)).toBeGreaterThan(SEEDS / 40);
}, 240_000);
