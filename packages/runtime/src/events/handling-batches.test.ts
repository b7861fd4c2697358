import { expect, it } from "vitest";
import type { EventBatch } from "../store/event-store.js";
import { createManualClock } from "../testing/manual-clock.js";
import { HandlingAborted } from "./attempt-failure.js";
import { ConsumerCounts } from "./consumer-counts.js";
import { HandlingBatches } from "./handling-batches.js";

/** A store with two transactions, that ends each when it is told to. */
function setUp() {
  const begun: (readonly string[])[] = [];
  const commits: (() => void)[] = [];
  const batch = (ids: readonly string[]): EventBatch => ({
    ...{ client: "client", fresh: new Set(ids) },
    commit: () => new Promise((resolve) => void commits.push(resolve)),
    rollback: async () => {},
  });
  const counts = new ConsumerCounts();
  const batches = new HandlingBatches({
    batches: {
      atOnce: 2,
      async begin(_, ids) {
        begun.push(ids);
        return batch(ids);
      },
      isHandled: async () => false,
    },
    store: { putWithin: async () => {} },
    ...{ group: "billing", clock: createManualClock(), most: 32, counts },
  });
  const handled: string[] = [];
  const handle = (id: string, signal = new AbortController().signal) =>
    batches.handle({
      ...{ id, signal },
      within: async () => {
        handled.push(`${id} within`);
        return [];
      },
      alone: async () => {
        handled.push(`${id} alone`);
        return "handled";
      },
    });
  /** Until as many as the option says may share a transaction. */
  const warmUp = async (): Promise<void> => {
    for (let n = 0; n < 6; n++) await handle(`warm ${n}`);
    handled.splice(0);
  };
  const commit = async (): Promise<void> => {
    await expect.poll(() => commits.length).toBeGreaterThan(0);
    commits.shift()?.();
  };
  return { batches, begun, handled, handle, warmUp, commit, counts };
}

it("waits for nobody when one event comes by itself", async () => {
  const { begun, handled, handle } = setUp();
  expect(await handle("a")).toBe("handled");
  expect([begun, handled]).toEqual([[], ["a alone"]]);
});

it("takes what has come while all transactions were open into the next", async () => {
  const { begun, handle, warmUp, commit } = setUp();
  await warmUp();
  const first = [handle("a"), handle("b")];
  await expect.poll(() => begun).toEqual([["a", "b"]]);
  const second = [handle("c"), handle("d")];
  await expect.poll(() => begun.length).toBe(2);
  const third = [handle("e"), handle("f"), handle("g")];
  await commit();
  expect(await Promise.all(first)).toEqual(["handled", "handled"]);
  await expect.poll(() => begun[2]).toEqual(["e", "f", "g"]);
  await commit();
  await commit();
  expect(await Promise.all([...second, ...third])).toEqual(Array.from({ length: 5 }, () => "handled"));
});

it("shares out evenly among the transactions that are free what would take long", async () => {
  const { batches, begun, handle, warmUp } = setUp();
  await warmUp();
  for (let n = 0; n < 100; n++) batches.took(5);
  for (const id of ["a", "b", "c", "d", "e", "f"]) void handle(id);
  await expect
    .poll(() => begun)
    .toEqual([
      ["a", "b", "c"],
      ["d", "e", "f"],
    ]);
});

it("handles the first of two with one id", async () => {
  const { handled, handle, warmUp, commit } = setUp();
  await warmUp();
  const both = [handle("a"), handle("a")];
  await commit();
  expect(await Promise.all(both)).toEqual(["handled", "duplicate"]);
  expect(handled).toEqual(["a within"]);
});

it("handles nothing that was given up meanwhile, and the others by themselves", async () => {
  const { handled, handle, warmUp, counts } = setUp();
  await warmUp();
  const givenUp = new AbortController();
  const [one, other] = [handle("a"), handle("b", givenUp.signal)];
  givenUp.abort();
  await expect(other).rejects.toThrow(HandlingAborted);
  expect(await one).toBe("handled");
  expect(handled).toEqual(["a within", "a alone"]);
  expect(counts.batchesUndone).toBe(1);
});
