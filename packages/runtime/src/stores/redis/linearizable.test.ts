import { type FaultyProxy, type Redis, startFaultyProxy, startRedis } from "@clean-arch/test-servers";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { sleep, systemPorts } from "../../ports.js";
import { SeededRandom } from "../../simulation/seeded-random.js";
import { checkSeeds, SEEDS, whenItAnswers } from "./linearizable.test.support.js";
import { openSessions } from "./own-prefix.test.support.js";
import { openTimedSessions } from "./throwaway.test.support.js";
import { answers, until } from "./until.test.support.js";

let server: Redis;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.remove());

it("concurrent calls on two instances are explained by some order of them, in every seed", async () => {
  const { store, peer, clock, advance, close } = await openTimedSessions(server.url, [server]);
  onTestFinished(close);
  const time = { now: clock.now, advance };
  const tally = await checkSeeds({ count: SEEDS, stores: [store, peer], time });
  expect(tally.missing(SEEDS / 20)).toEqual([]);
  expect(tally.unknown).toBe(0);
}, 120_000);

it("so are they on three instances whose networks delay, break, fall silent, and lose replies", async () => {
  const proxies = await Promise.all([1, 2, 3].map(() => startFaultyProxy({ to: server.port })));
  onTestFinished(async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))));
  const stores = await Promise.all(
    proxies.map(({ port }) =>
      openSessions({ url: `redis://127.0.0.1:${port}`, prefix: "faulty:", commandTimeoutMs: 150 }),
    ),
  );
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
  const tally = await checkSeeds({
    ...{ count: SEEDS, stores, calls: 8, pause: whenItAnswers },
    beside: async ([first], done) => {
      const random = new SeededRandom(first ?? 0);
      while (!done.aborted) {
        const proxy = random.pick(proxies);
        const store = stores[proxies.indexOf(proxy)];
        disturb(proxy, random);
        // How long it lasts is a part of the fault; nothing is concluded from it.
        await sleep(systemPorts.clock, 5 + random.below(40), done);
        proxy.set({ latencyMs: 0, jitterMs: 0, sliceBytes: 0, partition: "none" });
        if (store) await until(() => answers(store), done);
      }
      for (const proxy of proxies) proxy.calm();
    },
  });
  expect(tally.missing(SEEDS / 20, { timed: false })).toEqual([]);
  expect(tally.unknown).toBeGreaterThan(SEEDS / 4);
  expect(proxies.reduce((sum, { counts }) => sum + counts.swallowed, 0)).toBeGreaterThan(SEEDS / 50);
}, 240_000);

function disturb(proxy: FaultyProxy, random: SeededRandom): void {
  const kind = random.below(10);
  if (kind < 4) proxy.set({ latencyMs: random.below(15), jitterMs: random.below(10), sliceBytes: random.below(200) });
  else if (kind < 5) proxy.reset();
  else if (kind < 6) proxy.silence();
  else if (kind < 7) proxy.set({ partition: random.pick(["requests", "replies", "both"]) });
  else proxy.swallow({ request: (chunk) => chunk.includes("evalsha"), ending: random.pick(["reset", "silence"]) });
}
