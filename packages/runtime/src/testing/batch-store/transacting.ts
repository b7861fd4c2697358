import { describe, expect } from "vitest";
import type { BatchStore, ChunkRef, ChunkTransaction, SettledChunk, TakenChunk } from "../../store/batch-store.js";
import { activate, type EffectsUnderTest, LEASE_MS } from "../run-store-contract/harness.js";
import {
  advanced,
  type BatchBench,
  type BatchTests,
  failedItem,
  opened,
  planted,
  progress,
  RUN,
  settledOf,
  spans,
  taken,
} from "./harness.js";

type Transacting = BatchBench & { readonly effects: EffectsUnderTest };

export function transacting({ test }: BatchTests): void {
  const offered = (title: string, body: (under: Transacting) => Promise<void>): void =>
    test(title, async (under) => {
      // A store without a database of its own offers no transactions, and then has nothing to show.
      if (under.effects === undefined) expect(under.batches.begin).toBeUndefined();
      else await body({ ...under, effects: under.effects });
    });

  /** A chunk that the worker has, the last of its batch. */
  const givenOne = async ({ store, batches }: BatchBench): Promise<TakenChunk> => {
    await opened(store, { maxFailures: 9 });
    await planted(batches, RUN, spans(1), { isEnd: true });
    const [chunk] = await taken(batches, RUN, 1);
    return chunk ?? expect.fail("expected a chunk");
  };

  describe("a transaction", () => {
    offered("commits the effect, the settling and the batch's end together", async (under) => {
      const { batches, effects } = under;
      const chunk = await givenOne(under);
      const settled = { ...settledOf(chunk), done: 9, failed: [failedItem("a")] };
      expect(await transact(batches, effects, "paid", chunk, settled)).toBe("settled");
      expect(await effects.committed()).toEqual(["paid"]);
      expect(await progress(batches, RUN)).toMatchObject({ status: "ended", done: 9, failed: 1, openChunks: 0 });
      expect((await batches.failures(RUN, { limit: 9 })).items).toMatchObject([{ key: "a" }]);
    });

    offered("leaves nothing of what is rolled back, whatever is called afterwards", async (under) => {
      const { batches, effects } = under;
      const chunk = await givenOne(under);
      const before = await progress(batches, RUN);
      const transaction = await begin(batches, chunk);
      const writing = effects.write(transaction.client, "paid");
      if (writing instanceof Promise) await writing;
      await transaction.rollback();
      await transaction.rollback();
      expect(await effects.committed()).toEqual([]);
      expect(await progress(batches, RUN)).toEqual(before);
      expect(await advanced(batches, RUN, { settled: [settledOf(chunk)] })).toMatchObject({ results: ["settled"] });
    });

    offered("takes the effect back when the chunk is somebody else's", async (under) => {
      const { store, batches, effects, advance } = under;
      const chunk = await givenOne(under);
      await advance(LEASE_MS);
      await activate(store, "new");
      const [again] = await taken(batches, RUN, 1, { worker: "new" });
      const before = await progress(batches, RUN);
      expect(await transact(batches, effects, "late", chunk, settledOf(chunk))).toBe("lost");
      expect(await effects.committed()).toEqual([]);
      expect(await progress(batches, RUN)).toEqual(before);
      if (!again) return expect.unreachable();
      expect(await transact(batches, effects, "by the new one", again, settledOf(again))).toBe("settled");
      expect(await effects.committed()).toEqual(["by the new one"]);
    });

    offered("takes the effect back when the chunk was settled before", async (under) => {
      const { batches, effects } = under;
      const chunk = await givenOne(under);
      await advanced(batches, RUN, { settled: [settledOf(chunk)] });
      expect(await transact(batches, effects, "twice", chunk, settledOf(chunk))).toBe("lost");
      expect(await effects.committed()).toEqual([]);
    });

    offered("takes the effect back with what cannot be stored, and with another chunk", async (under) => {
      const { batches, effects } = under;
      const chunk = await givenOne(under);
      const poisoned = { ...settledOf(chunk), done: 9, failed: [failedItem("a\0")] };
      const other = { ...settledOf(chunk), n: 2 };
      for (const settled of [poisoned, other]) {
        const refused = transact(batches, effects, "refused", chunk, settled);
        await expect(refused).rejects.toMatchObject({ code: "input-invalid" });
      }
      expect(await effects.committed()).toEqual([]);
      expect(await transact(batches, effects, "paid", chunk, settledOf(chunk))).toBe("settled");
    });

    offered("of a batch that is unknown settles nothing", async (under) => {
      const { batches, effects } = under;
      const chunk = await givenOne(under);
      const ref = { ...chunk, run: "no id of a run" };
      expect(await transact(batches, effects, "nowhere", ref, settledOf(chunk))).toBe("lost");
      expect(await effects.committed()).toEqual([]);
    });
  });
}

function begin(batches: BatchStore, chunk: ChunkRef): Promise<ChunkTransaction> {
  return batches.begin?.(chunk) ?? expect.fail("expected the store to begin a transaction");
}

/** In one turn where nothing has to be awaited: a synchronous database lets a transaction live no longer. */
async function transact(
  batches: BatchStore,
  effects: EffectsUnderTest,
  name: string,
  chunk: ChunkRef,
  settled: SettledChunk,
): Promise<"settled" | "lost"> {
  const transaction = await begin(batches, chunk);
  const writing = effects.write(transaction.client, name);
  if (writing instanceof Promise) await writing;
  return transaction.commit(settled);
}
