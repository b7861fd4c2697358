import type { FaultyProxy } from "@clean-arch/test-servers";
import { describe, expect } from "vitest";
import type { SettledChunk } from "../../store/batch-store.js";
import {
  advanced,
  batchesOf,
  led,
  numbers,
  opened,
  planted,
  plantOf,
  progress,
  RUN,
  settledOf,
  spans,
  taken,
  takenOf,
} from "../../testing/batch-store/harness.js";
import { again, testBehindProxy } from "./behind-proxy.test.support.js";
import { postgresForTests } from "./throwaway.test.support.js";

const postgres = postgresForTests();

const test = testBehindProxy(postgres);

/** The server carries the call out, and nobody hears of it. */
async function intoTheVoid(proxy: FaultyProxy, statement: string, call: () => Promise<unknown>): Promise<void> {
  const before = proxy.counts.swallowed;
  proxy.swallow({ request: (request) => request.includes(statement) });
  await expect(call()).rejects.toMatchObject({ code: "store-unavailable" });
  expect(proxy.counts.swallowed).toBe(before + 1);
}

describe("a reply that is lost", () => {
  test("of chunks that were planted: they are there once, and are given by the next call", async (behind) => {
    const { proxy, store, direct } = behind;
    await opened(direct.store);
    const batches = batchesOf(store);
    const request = plantOf(RUN, await led(batches, RUN), spans(3), { take: 2 });
    await intoTheVoid(proxy, "batch-plant", () => batches.plant(request));
    expect(takenOf(await again(() => batches.plant(request)))).toEqual([]);
    expect(await progress(batches, RUN)).toMatchObject({ planted: 30, openChunks: 3, ownedChunks: 2 });
    expect(numbers(await taken(batches, RUN, 2))).toEqual([1, 2]);
  });

  test("of chunks that were settled and given: none counts twice, and none is forgotten", async (behind) => {
    const { proxy, store, direct } = behind;
    await opened(direct.store, { maxFailures: 9, concurrency: 2 });
    const batches = batchesOf(store);
    await planted(batches, RUN, spans(4));
    const [one, two] = await taken(batches, RUN, 2);
    if (!one || !two) return expect.unreachable();
    const request = { settled: [settledOf(one, 1), settledOf(two)], take: 2 };
    await intoTheVoid(proxy, "batch-advance", () => advanced(batches, RUN, request));
    const answer = await again(() => advanced(batches, RUN, request));
    expect(answer.results).toEqual(["lost", "lost"]);
    expect(numbers(answer.taken)).toEqual([3, 4]);
    expect(await progress(batches, RUN)).toMatchObject({ done: 19, failed: 1, openChunks: 2, ownedChunks: 2 });
  });

  test("of a transaction's commit: its effect is there with the settling, or neither is", async (behind) => {
    const { proxy, store, direct } = behind;
    const { effects } = direct;
    await opened(direct.store);
    const batches = batchesOf(store);
    await planted(batches, RUN, spans(1), { isEnd: true });
    const [one] = await taken(batches, RUN, 1);
    if (!one || !effects) return expect.unreachable();
    const transact = async (): Promise<"settled" | "lost"> => {
      const transaction = (await batches.begin?.(one)) ?? expect.fail("expected a transaction");
      await effects.write(transaction.client, "paid");
      return transaction.commit(settledOf(one));
    };
    await intoTheVoid(proxy, "commit", transact);
    expect(await again(transact)).toBe("lost");
    expect(await effects.committed()).toEqual(["paid"]);
    expect(await progress(batches, RUN)).toMatchObject({ status: "ended", done: 10 });
  });

  test("of a close, of a halt and of an end that was told: said again, they change nothing", async (behind) => {
    const { proxy, store, direct } = behind;
    await opened(direct.store);
    const batches = batchesOf(store);
    const { fence } = await led(batches, RUN);
    const failure = { code: "source-failed", message: "gone" };
    await intoTheVoid(proxy, "batch-halt", () => batches.halt(RUN, fence, failure));
    expect(await again(() => batches.halt(RUN, fence, failure))).toBe(true);
    await intoTheVoid(proxy, "batch-close", () => batches.close(RUN));
    expect(await again(() => batches.close(RUN))).toBe("closed");
    await intoTheVoid(proxy, "batch-told", () => batches.told(RUN, 1));
    await again(() => batches.told(RUN, 1));
    expect(await progress(batches, RUN)).toMatchObject({ status: "ended", failure });
  });
});

test("works through a batch over connections that break at any moment", async ({ proxy, store, direct }) => {
  const CHUNKS = 30;
  await opened(direct.store, { concurrency: 3 });
  const batches = batchesOf(store);
  const lead = await again(() => led(batches, RUN));
  for (let first = 1; first <= CHUNKS; first += 10) {
    const isEnd = first + 10 > CHUNKS;
    const request = plantOf(RUN, { ...lead, next: first }, spans(10, 10, first), { isEnd });
    const planting = again(() => batches.plant(request));
    setImmediate(() => proxy.reset());
    expect((await planting).kind).toBe("planted");
  }
  let settled: readonly SettledChunk[] = [];
  for (let calls = 0; ; calls += 1) {
    const request = { settled, take: 3 };
    const advancing = again(() => advanced(batches, RUN, request));
    if (calls % 3 === 0) setImmediate(() => proxy.reset());
    const answer = await advancing;
    if (answer.status === "ended") break;
    settled = answer.taken.map((chunk) => settledOf(chunk));
  }
  const end = { status: "ended", done: 10 * CHUNKS, planted: 10 * CHUNKS, openChunks: 0, ownedChunks: 0 };
  expect(await again(() => progress(batches, RUN))).toMatchObject(end);
});
