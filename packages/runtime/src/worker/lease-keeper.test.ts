import { expect, it } from "vitest";
import { RuntimeError } from "../errors.js";
import { silentLogger } from "../log.js";
import { SeededRandom } from "../simulation/seeded-random.js";
import { createMemoryRunStore } from "../stores/memory/index.js";
import { createManualClock } from "../testing/manual-clock.js";
import { LeaseKeeper } from "./lease-keeper.js";

const LEASE_MS = 10_000;

/** A keeper on a store that answers as long as it is not `down`, and when it asked. */
async function kept() {
  const clock = createManualClock();
  const store = createMemoryRunStore({ clock });
  const link = { down: false, askedAt: [] as number[] };
  const lost: number[] = [];
  await store.open();
  const keeper = new LeaseKeeper({
    ...{ ports: { clock, random: new SeededRandom(1) }, logger: silentLogger, leaseMs: LEASE_MS, label: "test" },
    ...{ runs: () => [], onRenewed: () => {}, onLost: () => void lost.push(clock.monotonic()) },
    store: {
      ...store,
      renew: async (request) => {
        link.askedAt.push(clock.monotonic());
        if (link.down) throw new RuntimeError("store-unavailable", "no space left");
        return store.renew(request);
      },
    },
  });
  await keeper.start();
  /** Lets time pass, and what it wakes come to rest. */
  const pass = async (ms: number): Promise<void> => {
    for (const until = clock.monotonic() + ms; clock.monotonic() < until; ) {
      clock.advance(100);
      await new Promise(setImmediate);
    }
  };
  return { keeper, link, lost, pass };
}

it("is renewed once a second, and asked for again soon when that failed", async () => {
  const { keeper, link, pass } = await kept();
  await pass(3_000);
  expect(link.askedAt).toEqual([0, 1_000, 2_000, 3_000]);
  link.down = true;
  await pass(2_000);
  expect(link.askedAt.slice(4, 8)).toEqual([4_000, 4_200, 4_400, 4_600]);
  link.down = false;
  await pass(1_400);
  expect(link.askedAt.slice(-2)).toEqual([5_200, 6_200]);
  await keeper.stop();
});

it("is not trusted for as long as it lasts, and then lost once, with the reason, until the store answers again", async () => {
  const { keeper, link, lost, pass } = await kept();
  link.down = true;
  await pass(7_900);
  expect([keeper.trusted(), keeper.outage]).toEqual([true, null]);
  await pass(1_000);
  expect([keeper.trusted(), keeper.state, keeper.outage]).toEqual([false, "standby", "no space left"]);
  expect(lost).toHaveLength(1);
  link.down = false;
  await pass(300);
  expect([keeper.trusted(), keeper.state, keeper.outage]).toEqual([true, "active", null]);
  await keeper.stop();
});
