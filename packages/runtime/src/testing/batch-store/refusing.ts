import { describe, expect } from "vitest";
import type { Json } from "../../json.js";
import type { ChunkSpan, FailedItem, OpenBatch, SettledChunk } from "../../store/batch-store.js";
import { POISON } from "../run-store-contract/harness.js";
import {
  advanced,
  type BatchTests,
  failedItem,
  led,
  newBatch,
  opened,
  planted,
  plantOf,
  progress,
  RUN,
  settledOf,
  spans,
  taken,
} from "./harness.js";

const NOT_JSON = (() => undefined) as unknown as Json;
const CIRCULAR: { self?: unknown } = {};
CIRCULAR.self = CIRCULAR;

const BAD_VALUES: readonly (readonly [string, Json])[] = [
  ...POISON,
  ["a function", NOT_JSON],
  ["a circle", CIRCULAR as Json],
  ["a nested poison", { list: [{ text: "a\0b" }] }],
  ["a poisoned name", { "a\0": 1 }],
];

const BAD_KEYS: readonly (readonly [string, string])[] = [
  ...POISON,
  ["no character", ""],
  ["too many characters", "x".repeat(513)],
  ["no text", 7 as unknown as string],
];

const BAD_COUNTS: readonly number[] = [-1, 0.5, Number.NaN, 2 ** 31];

export function refusing({ test }: BatchTests): void {
  const refused = async (call: () => Promise<unknown>, what: string): Promise<void> => {
    await expect(call(), what).rejects.toMatchObject({
      code: "input-invalid",
      message: expect.stringMatching(/^expected .+/),
    });
  };

  describe("what cannot be stored", () => {
    test("is refused as a chunk, with all that it was planted with", async ({ store, batches }) => {
      await opened(store);
      const lead = await led(batches, RUN);
      const [good] = spans(1);
      if (!good) return expect.unreachable();
      const item = (key: string, value: Json): ChunkSpan => ({ ...good, size: 1, items: [{ key, item: value }] });
      const bad: (readonly [string, ChunkSpan])[] = [
        ...BAD_VALUES.flatMap(([what, value]): [string, ChunkSpan][] => [
          [`${what} as a place`, { ...good, to: value }],
          [`${what} as a place before`, { ...good, from: value }],
          [`${what} as an item`, item("a", value)],
        ]),
        ...BAD_KEYS.map(([what, key]): [string, ChunkSpan] => [`${what} as a key`, item(key, 1)]),
        ...[0, ...BAD_COUNTS].map((size): [string, ChunkSpan] => [`${size} as a size`, { ...good, size }]),
        ["fewer items than its size", { ...good, size: 2, items: [{ key: "a", item: 1 }] }],
      ];
      for (const [what, chunk] of bad) await refused(() => batches.plant(plantOf(RUN, lead, [good, chunk])), what);
      for (const [what, cursor] of BAD_VALUES)
        await refused(() => batches.plant(plantOf(RUN, lead, [good], { cursor })), what);
      for (const count of BAD_COUNTS) {
        await refused(() => batches.plant(plantOf(RUN, lead, [good], { take: count })), `take ${count}`);
        await refused(() => batches.plant(plantOf(RUN, { ...lead, next: count }, [good])), `first ${count}`);
      }
      await refused(() => batches.plant(plantOf(RUN, lead, [good], { total: -1 })), "total");
      for (const [what, text] of POISON)
        await refused(() => batches.plant(plantOf(RUN, lead, [good], { worker: text })), what);
      expect(await progress(batches, RUN)).toMatchObject({ planted: 0, openChunks: 0 });
      expect(await batches.plant(plantOf(RUN, lead, [good]))).toMatchObject({ kind: "planted" });
    });

    test("is refused as the settling of a chunk, with all others of the call", async ({ store, batches }) => {
      await opened(store, { maxFailures: 9 });
      await planted(batches, RUN, spans(2));
      const [one, two] = await taken(batches, RUN, 2);
      if (!one || !two) return expect.unreachable();
      const failed = (overrides: Partial<FailedItem>): SettledChunk => ({
        ...settledOf(two),
        ...{ done: 9, failed: [failedItem("a", overrides)] },
      });
      const bad: (readonly [string, SettledChunk])[] = [
        ...BAD_VALUES.map(([what, item]): [string, SettledChunk] => [`${what} as an item`, failed({ item })]),
        ...BAD_KEYS.map(([what, key]): [string, SettledChunk] => [`${what} as a key`, failed({ key })]),
        ...BAD_COUNTS.flatMap((count): [string, SettledChunk][] => [
          [`${count} attempts`, failed({ attempts: count })],
          [`${count} done`, { ...settledOf(two), done: count }],
          [`${count} skipped`, { ...settledOf(two), skipped: count }],
          [`${count} as a number`, { ...settledOf(two), n: count }],
          [`${count} as a fence`, { ...settledOf(two), fence: count }],
        ]),
        ["the same chunk twice", settledOf(one)],
      ];
      for (const [what, settled] of bad)
        await refused(() => advanced(batches, RUN, { settled: [settledOf(one), settled] }), what);
      for (const count of BAD_COUNTS) {
        await refused(() => advanced(batches, RUN, { take: count }), `take ${count}`);
        await refused(() => advanced(batches, RUN, { holding: [count] }), `holding ${count}`);
      }
      for (const [what, text] of POISON) await refused(() => advanced(batches, RUN, { worker: text }), what);
      for (const [what, key] of BAD_KEYS) await refused(() => batches.mark(one, key), what);
      expect(await progress(batches, RUN)).toMatchObject({ done: 0, failed: 0, openChunks: 2, ownedChunks: 2 });
      expect((await batches.failures(RUN, { limit: 9 })).items).toEqual([]);
      expect(await advanced(batches, RUN, { settled: [settledOf(one)] })).toMatchObject({ results: ["settled"] });
    });

    test("is refused as the options of a batch", async ({ store, batches }) => {
      await opened(store);
      const bad: readonly Partial<OpenBatch>[] = [
        ...[0, ...BAD_COUNTS].map((concurrency) => ({ concurrency })),
        ...BAD_COUNTS.map((maxFailures) => ({ maxFailures })),
        ...[-0.1, 1.1, Number.NaN].map((maxFailureRatio) => ({ maxFailureRatio })),
        ...[0, ...BAD_COUNTS].flatMap((count) => [
          { rateLimit: { max: count, windowMs: 1 } },
          { rateLimit: { max: 1, windowMs: count } },
        ]),
      ];
      for (const overrides of bad)
        await refused(() => batches.open(newBatch(RUN, overrides), 1), JSON.stringify(overrides));
      for (const round of [0, ...BAD_COUNTS]) await refused(() => batches.open(newBatch(RUN), round), `round ${round}`);
    });

    test("is refused as the beginning of what is tried anew", async ({ store, batches }) => {
      await opened(store);
      for (const [what, from] of BAD_VALUES) await refused(() => batches.requeue(RUN, 1, from), what);
    });

    test("is refused as a page or a place of failed items", async ({ store, batches }) => {
      await opened(store);
      for (const limit of [0, -1, 0.5, 10_001, Number.NaN])
        await refused(() => batches.failures(RUN, { limit }), `limit ${limit}`);
      for (const cursor of ["", "nonsense", "-1", "1; drop table x", "1.5"])
        await refused(() => batches.failures(RUN, { limit: 1, cursor }), `cursor ${cursor}`);
    });
  });
}
