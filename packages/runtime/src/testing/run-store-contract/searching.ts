import { describe, expect } from "vitest";
import type { RunQuery } from "../../store/run-store.js";
import { activate, appendOne, type ContractTest, claimAll, DEFINITION, newRun, nextAppend, runId } from "./harness.js";

export function searching(test: ContractTest): void {
  describe("search", () => {
    test("finds runs by what they are about, by their parent and by their time", async ({ store, advance }) => {
      await store.create([
        newRun(1, { businessKey: "order-7", attributes: { customer: "42", city: "Rome" } }),
        newRun(2, { businessKey: "order-7", tenant: "t" }),
        newRun(3, { attributes: { customer: "42", city: "Bonn" }, parentId: runId(1), rootId: runId(1) }),
      ]);
      await advance(100);
      const noon = await store.now();
      await store.create([
        newRun(4, { attributes: { customer: "43", city: "Rome" }, parentId: runId(1), rootId: runId(1) }),
        newRun(5, { attributes: {} }),
      ]);
      const numbers = async (query: Partial<RunQuery>): Promise<number[]> =>
        (await store.list({ limit: 10, ...query })).items.map(({ input }) => (input as { n: number }).n);
      expect(await numbers({ businessKey: "order-7" })).toEqual([2, 1]);
      expect(await numbers({ businessKey: "order-7", tenant: "t" })).toEqual([2]);
      expect(await numbers({ businessKey: "order" })).toEqual([]);
      expect(await numbers({ parentId: runId(1) })).toEqual([4, 3]);
      expect(await numbers({ until: noon })).toEqual([3, 2, 1]);
      expect(await numbers({ since: noon, until: noon + 60_000 })).toEqual([5, 4]);
      expect(await numbers({ since: noon, until: noon })).toEqual([]);
      expect(await numbers({ attributes: { customer: "42" } })).toEqual([3, 1]);
      expect(await numbers({ attributes: { customer: "42", city: "Rome" } })).toEqual([1]);
      expect(await numbers({ attributes: { city: "42" } })).toEqual([]);
      expect(await numbers({ attributes: { city: "R_me" } })).toEqual([]);
      expect(await numbers({ attributes: {} })).toEqual([5, 4, 3, 2, 1]);
      expect(await numbers({ attributes: { customer: "42" }, parentId: runId(1), until: noon })).toEqual([3]);
    });

    test("takes a text as it is, not as a pattern or a piece of a query", async ({ store }) => {
      const texts = ["a'b", 'a"b', "a%", "a_", "a\\b", "$1", "null", "", "[]", "😀"];
      await store.create(texts.map((text, index) => newRun(index + 1, { businessKey: text, attributes: { text } })));
      for (const [index, text] of texts.entries()) {
        const byAttribute = await store.list({ limit: 100, attributes: { text } });
        expect(byAttribute.items.map(({ id, attributes }) => [id, attributes])).toEqual([[runId(index + 1), { text }]]);
        const byKey = await store.list({ limit: 100, businessKey: text });
        expect(byKey.items.map(({ id }) => id)).toEqual([runId(index + 1)]);
      }
      expect((await store.list({ limit: 100, attributes: { "'": "a" } })).items).toEqual([]);
    });

    test("pages through what it finds", async ({ store }) => {
      await store.create(
        Array.from({ length: 9 }, (_, n) => newRun(n + 1, { attributes: { even: String((n + 1) % 2 === 0) } })),
      );
      const query = { limit: 2, attributes: { even: "true" } };
      const page = await store.list(query);
      expect(page.items.map(({ id }) => id)).toEqual([8, 6].map(runId));
      const last = await store.list({ ...query, cursor: page.nextCursor ?? "" });
      expect([last.items.map(({ id }) => id), last.nextCursor]).toEqual([[4, 2].map(runId), null]);
    });

    test("pages through every search, each run once, while others come and go", async ({ store, advance }) => {
      await activate(store, "w");
      const about = { businessKey: "order-7", sessionId: "s", attributes: { customer: "42" } };
      const family = { parentId: runId(1), rootId: runId(1) };
      // Many of them at one moment: the order is that of the ids.
      await store.create([newRun(1), ...[2, 3, 4, 5, 6].map((n) => newRun(n, { ...about, ...family }))]);
      await store.create([7, 8].map((n) => newRun(n, { definition: "another" })));
      const [ended] = (await claimAll(store, "w", 10)).filter(({ run }) => run.id === runId(4));
      await advance(100);
      const noon = await store.now();
      const searches: readonly Partial<RunQuery>[] = [
        { status: ["running"], parentId: runId(1) },
        { definition: DEFINITION.name, parentId: runId(1) },
        { until: noon, ...about },
        { since: 0, until: noon, parentId: runId(1) },
        { businessKey: "order-7" },
        { attributes: about.attributes },
        { ...about, parentId: runId(1), status: ["running", "failed"], definition: DEFINITION.name, until: noon },
      ];
      let newest = 100;
      for (const search of searches) {
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const page = await store.list({ limit: 2, ...search, ...(cursor !== null && { cursor }) });
          expect(page.items.length).toBeLessThanOrEqual(2);
          seen.push(...page.items.map(({ id }) => id));
          cursor = page.nextCursor;
          newest += 1;
          await store.create([newRun(newest, about)]);
        } while (cursor !== null);
        expect(
          seen.filter((id) => id < runId(100)),
          JSON.stringify(search),
        ).toEqual([6, 5, 4, 3, 2].map(runId));
        expect(new Set(seen).size).toBe(seen.length);
      }
      // The run at which a page ended may no longer be what is searched for.
      if (!ended) return expect.unreachable();
      const first = await store.list({ limit: 3, parentId: runId(1) });
      await appendOne(store, nextAppend(ended.run, { change: { status: "failed" }, next: { kind: "finish" } }));
      const rest = await store.list({
        limit: 3,
        parentId: runId(1),
        status: ["running"],
        cursor: first.nextCursor ?? "",
      });
      expect(rest.items.map(({ id }) => id)).toEqual([3, 2].map(runId));
    });

    test("forgets the attributes of a pruned run", async ({ store, advance }) => {
      await activate(store, "w");
      const attributes = { customer: "42" };
      await store.create([newRun(1, { attributes }), newRun(2, { attributes })]);
      const [claimed] = await claimAll(store, "w", 1);
      if (!claimed) return expect.unreachable();
      await appendOne(store, nextAppend(claimed.run, { change: { status: "failed" }, next: { kind: "finish" } }));
      await advance(10);
      expect(await store.prune(await store.now(), 10)).toBe(1);
      expect((await store.list({ limit: 10, attributes })).items.map(({ id }) => id)).toEqual([runId(2)]);
      await store.create([newRun(1)]);
      expect((await store.list({ limit: 10, attributes })).items.map(({ id }) => id)).toEqual([runId(2)]);
    });
  });

  describe("stranded", () => {
    test("counts open runs by what this process does not know, most first", async ({ store }) => {
      await activate(store, "w");
      const gone = { definition: "gone" };
      await store.create([1, 2, 3, 4].map((n) => newRun(n)));
      await store.create([5, 6, 7, 11].map((n) => newRun(n, gone)));
      await store.create([8, 9].map((n) => newRun(n, { version: "v0" })));
      await store.create([newRun(10, { definition: DEFINITION.version, version: DEFINITION.name })]);
      const [parked, ended] = await claimAll(store, "w", 2);
      if (!parked || !ended) return expect.unreachable();
      await store.append([
        nextAppend(parked.run, { change: { status: "stuck" }, next: { kind: "park", delayMs: null } }),
        nextAppend(ended.run, { change: { status: "completed" }, next: { kind: "finish" } }),
      ]);
      expect(await store.stranded([DEFINITION])).toEqual([
        { definition: "gone", version: "v1", runs: 4 },
        { definition: "order", version: "v0", runs: 2 },
        { definition: "v1", version: "order", runs: 1 },
      ]);
      const all = await store.stranded([]);
      expect([all.length, all[0]?.runs, all[1]]).toEqual([4, 4, { definition: "order", version: "v1", runs: 3 }]);
      const known = [DEFINITION, { name: "gone", version: "v1" }, { name: "order", version: "v0" }];
      expect(await store.stranded([...known, { name: "v1", version: "order" }])).toEqual([]);
    });

    test("names 100 of them at most", async ({ store }) => {
      await store.create(Array.from({ length: 102 }, (_, n) => newRun(n + 1, { version: `v${n % 101}` })));
      const found = await store.stranded([]);
      expect([found.length, found[0], found[1]?.runs]).toEqual([
        100,
        { definition: "order", version: "v0", runs: 2 },
        1,
      ]);
    });
  });
}
