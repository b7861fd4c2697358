import { describe, expect } from "vitest";
import {
  activate,
  type ContractTest,
  claimAll,
  current,
  first,
  LEASE_MS,
  newRun,
  POISON,
  RECORD,
  runId,
} from "./harness.js";

export function creating(test: ContractTest): void {
  describe("create", () => {
    test("stores a pending run with all it was given, due at once", async ({ store, near }) => {
      const create = newRun(1, {
        ...{
          key: "k",
          businessKey: "order-7",
          attributes: { customer: "42", "a.b-c_D": "", note: "ü '\"%_ 😀" },
          sessionId: "s",
          partitionKey: "p",
          priority: -3,
          parentId: runId(9),
          rootId: runId(8),
        },
        ...{
          restartedFrom: runId(7),
          input: { list: [], text: "ü 😀 \\u0000 \\ud800", nested: { deep: [null, 1.5, { "a.b": false }] } },
        },
      });
      const result = first(await store.create([create]));
      const now = near(await store.now());
      const { claim: _, ...given } = create;
      const expected = {
        ...{
          ...given,
          status: "pending",
          failureReason: null,
          rollbackStatus: "none",
          output: null,
          createdAt: now,
          updatedAt: now,
        },
        ...{ endedAt: null, wakeAt: now, startAt: null, begunAt: null, owner: null, fence: 0, seq: 0 },
      };
      expect(result).toEqual({ kind: "created", run: expected, row: null });
      expect(await store.get(create.id)).toEqual((result as { run: unknown }).run);
    });

    test("lets one of 50 concurrent callers with one key create, and gives the others that run", async ({ store }) => {
      const calls = Array.from({ length: 50 }, (_, index) =>
        store.create([newRun(index + 1, { key: "same", inputHash: `hash ${index + 1}` })]),
      );
      const results = (await Promise.all(calls)).map(first);
      const created = results.filter((result) => result.kind === "created");
      const winner = first(created).run;
      for (const result of results)
        expect(result).toMatchObject({ run: { id: winner.id, inputHash: winner.inputHash } });
      expect(results.filter((result) => result.kind === "existing").length).toBe(49);
      expect((await store.list({ limit: 100 })).items.length).toBe(1);
    });

    test("scopes a key to tenant and definition, and takes any number of runs without one", async ({ store }) => {
      const results = await store.create([
        newRun(1, { key: "k" }),
        newRun(2, { key: "k", tenant: "other" }),
        newRun(3, { key: "k", definition: "other" }),
        newRun(4),
        newRun(5),
        newRun(6, { key: "k" }),
      ]);
      expect(results.map((result) => result.kind)).toEqual([
        "created",
        "created",
        "created",
        "created",
        "created",
        "existing",
      ]);
      expect(results[5]).toMatchObject({ run: { id: runId(1) } });
    });

    test("recognizes the same call sent again", async ({ store }) => {
      await activate(store, "w");
      const create = newRun(1, { key: "k", claim: { worker: "w", appendId: "a", records: [RECORD] } });
      const [sent] = await store.create([create]);
      expect(await store.create([create])).toEqual([sent]);
      expect((await store.journal(create.id)).length).toBe(1);
      expect((await store.list({ limit: 10 })).items.length).toBe(1);
    });

    test("rejects an id that another run has", async ({ store }) => {
      await store.create([newRun(1)]);
      const results = await store.create([newRun(2), newRun(1, { definition: "other" }), newRun(3)]);
      expect(results.map((result) => result.kind)).toEqual(["created", "rejected", "created"]);
      expect(await current(store, runId(1))).toMatchObject({ definition: "order" });
    });

    test("claims in the same write for an active worker", async ({ store, near }) => {
      await activate(store, "w");
      const result = first(
        await store.create([newRun(1, { claim: { worker: "w", appendId: "a", records: [RECORD] } })]),
      );
      const at = near(await store.now());
      const row = { v: 1, run: runId(1), seq: 1, fence: 1, appendId: "a", at, records: [RECORD] };
      expect(result).toMatchObject({
        kind: "created",
        run: { status: "running", owner: "w", fence: 1, seq: 1, wakeAt: null },
        row,
      });
      expect(await store.journal(runId(1))).toEqual([row]);
      expect(await store.get(runId(1))).toEqual((result as { run: unknown }).run);
      expect(await claimAll(store, "w")).toEqual([]);
    });

    test("ignores the claim of a worker that is not active", async ({ store, advance }) => {
      const claim = (worker: string) => ({ claim: { worker, appendId: "a", records: [RECORD] } });
      await activate(store, "retired");
      await store.retire("retired");
      await activate(store, "expired");
      await advance(LEASE_MS);
      const results = await store.create([
        newRun(1, claim("unknown")),
        newRun(2, claim("retired")),
        newRun(3, claim("expired")),
      ]);
      for (const result of results)
        expect(result).toMatchObject({
          kind: "created",
          row: null,
          run: { status: "pending", owner: null, fence: 0, seq: 0 },
        });
      await activate(store, "w");
      expect((await claimAll(store, "w")).length).toBe(3);
    });

    for (const [what, text] of POISON) {
      test(`rejects ${what} in a run, and creates the other runs of the call`, async ({ store }) => {
        const bad = [
          newRun(2, { key: text }),
          newRun(3, { input: { deep: [text] } }),
          newRun(4, { input: { [text]: 1 } }),
          newRun(5, { businessKey: text }),
          newRun(6, { id: text }),
          newRun(8, { attributes: { note: text } }),
        ];
        const results = await store.create([newRun(1), ...bad, newRun(9)]);
        expect(results.map((result) => result.kind)).toEqual(["created", ...bad.map(() => "rejected"), "created"]);
        expect((await store.list({ limit: 10 })).items.map((run) => run.id)).toEqual([runId(9), runId(1)]);
      });
    }

    test("rejects what is no run", async ({ store }) => {
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      const bad = [
        newRun(1, { input: circular as never }),
        newRun(2, { input: undefined as never }),
        newRun(3, { input: 1n as never }),
        newRun(4, { definition: "" }),
        newRun(5, { priority: 0.5 }),
        newRun(6, { queue: undefined as never }),
        newRun(7, { attributes: { "": "a" } }),
        newRun(8, { attributes: { __proto: "a" } }),
        newRun(9, { attributes: { "two words": "a" } }),
        newRun(10, { attributes: { ["k".repeat(65)]: "a" } }),
        newRun(11, { attributes: { a: "x".repeat(257) } }),
        newRun(12, { attributes: { a: 1 as never } }),
        newRun(13, { attributes: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`a${n}`, ""])) }),
        newRun(14, { attributes: undefined as never }),
      ];
      const results = await store.create(bad);
      for (const [index, result] of results.entries())
        expect(result, `run ${index + 1}`).toMatchObject({
          kind: "rejected",
          reason: expect.stringContaining("expected"),
        });
      expect(await store.count()).toEqual({});
    });
  });
}
