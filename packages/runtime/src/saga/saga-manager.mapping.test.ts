import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BusinessRefusal } from "../errors.js";
import type { Json } from "../json.js";
import { SagaBench, STORE_KINDS } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import { sagaFromConfig } from "./from-config.js";

interface Lines {
  readonly lines: readonly string[];
}

const refuse = (): never => {
  throw new BusinessRefusal("no");
};

/** Answers with the item. */
const perform = () => async (_: unknown, call: { readonly item?: Json }) =>
  ({ kind: "completed", output: call.item ?? null }) as const;

describe.each(STORE_KINDS)("a saga manager over %s, mapping over a list", (kind) => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create(kind);
  });
  afterEach(() => bench.close());

  const charging = (run: (item: string, index: number) => unknown, concurrency = 2, undone: string[] = []) =>
    saga<Lines>("s")
      .map("charge", {
        over: ({ input }) => input.lines,
        concurrency,
        run: ({ item, index, idempotencyKey, runId }) => {
          expect(idempotencyKey).toBe(`${runId}:items[${index}]/charge`);
          return run(item, index);
        },
        compensate: async ({ item, index, forwardKey, runId, outcome, output }) => {
          expect(forwardKey).toBe(`${runId}:items[${index}]/charge`);
          undone.push(`${item} ${outcome} ${JSON.stringify(output)}`);
          await bench.later(10);
        },
        retry: { maxAttempts: 2, initialDelay: "100ms", jitter: "none" },
      })
      .step("sum", { run: ({ outputs }) => outputs.charge });

  it("gives the results in the order of the list, however they come", async () => {
    const manager = await bench.open([
      charging(async (item, index) => {
        await bench.later((5 - index) * 100);
        return `${item}!`;
      }, 5).build(),
    ]);
    const run = await bench.toEnd(manager, "s", { lines: ["a", "b", "c"] });
    expect(run).toMatchObject({ status: "completed", output: ["a!", "b!", "c!"] });
    expect(run.steps.map(({ name, status }) => [name, status])).toEqual([
      ["charge", "completed"],
      ["items[0]/charge", "completed"],
      ["items[1]/charge", "completed"],
      ["items[2]/charge", "completed"],
      ["sum", "completed"],
    ]);
  });

  it("has so many items under way, and no more", async () => {
    let [underWay, most] = [0, 0];
    const manager = await bench.open([
      charging(async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await bench.later(50);
        underWay -= 1;
      }, 3).build(),
    ]);
    await bench.toEnd(manager, "s", { lines: Array.from({ length: 10 }, (_, n) => String(n)) });
    expect(most).toBe(3);
  });

  it("maps over nothing", async () => {
    const manager = await bench.open([charging(() => 1).build()]);
    expect(await bench.toEnd(manager, "s", { lines: [] })).toMatchObject({ status: "completed", output: [] });
  });

  it("lets those under way finish when one fails, begins no other, and undoes what was done", async () => {
    const undone: string[] = [];
    const begun: number[] = [];
    const manager = await bench.open([
      charging(
        async (item, index) => {
          begun.push(index);
          await bench.later(index === 1 ? 10 : 200);
          if (index === 1) throw new BusinessRefusal("declined");
          return item;
        },
        3,
        undone,
      ).build(),
    ]);
    const run = await bench.toEnd(manager, "s", { lines: ["a", "b", "c", "d", "e"] });
    expect(run).toMatchObject({ status: "compensated", error: { message: "items[1]/charge: declined" } });
    expect(begun).toEqual([0, 1, 2]);
    expect(undone).toEqual(['c completed "c"', 'a completed "a"']);
    expect(run.steps.slice(0, 4).map(({ name, status }) => [name, status])).toEqual([
      ["charge", "refused"],
      ["items[0]/charge", "completed"],
      ["items[1]/charge", "refused"],
      ["items[2]/charge", "completed"],
    ]);
  });

  it("tries an item again, and compensates as unknown what may have run", async () => {
    const undone: string[] = [];
    const manager = await bench.open([
      charging(
        (_, index) => {
          if (index === 0) throw new Error("no answer");
          return index;
        },
        1,
        undone,
      ).build(),
    ]);
    const run = await bench.toEnd(manager, "s", { lines: ["a", "b"] });
    expect(run.status).toBe("compensated");
    expect(run.steps[1]).toMatchObject({ name: "items[0]/charge", status: "unknown", attempts: 2 });
    expect(undone).toEqual(["a unknown null"]);
  });

  it("undoes the last item first, so many at once", async () => {
    const undone: string[] = [];
    let [underWay, most] = [0, 0];
    const definition = saga<Lines>("s")
      .map("charge", {
        over: ({ input }) => input.lines,
        concurrency: 2,
        run: ({ item }) => item,
        compensate: async ({ item }) => {
          undone.push(item);
          underWay += 1;
          most = Math.max(most, underWay);
          await bench.later(50);
          underWay -= 1;
        },
      })
      .step("no", { run: refuse })
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s", { lines: ["a", "b", "c", "d", "e"] });
    expect([run.status, undone, most]).toEqual(["compensated", ["e", "d", "c", "b", "a"], 2]);
    expect(run.steps.map(({ compensation }) => compensation?.status)).toEqual([
      undefined,
      ...Array.from({ length: 5 }, () => "compensated"),
      undefined,
    ]);
  });

  it("parks past the pivot with what is done, and goes on from there when an operator resumes it", async () => {
    const calls: string[] = [];
    const definition = saga<Lines>("s")
      .step("first", { run: () => 1 })
      .pivot()
      .map("charge", {
        over: ({ input }) => input.lines,
        run: ({ item }) => {
          calls.push(item);
          return calls.length === 2 ? refuse() : item;
        },
      })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.until(manager.start("s", { lines: ["a", "b", "c"] }));
    await bench.toStatus(manager, id, "stuck");
    await bench.until(manager.act(id, "resume", { actor: "ann", reason: "paid by now" }));
    expect(await bench.until(manager.wait(id, 60_000))).toMatchObject({ status: "completed", output: ["a", "b", "c"] });
    expect(calls).toEqual(["a", "b", "b", "c"]);
  });

  it("calls items of a new round under keys of their own, for a list of its own", async () => {
    const keys: string[] = [];
    let listed = 0;
    const definition = saga<Lines>("s")
      .map("charge", {
        over: ({ input }) => input.lines.slice(listed++),
        run: ({ item, idempotencyKey, runId }) => {
          keys.push(`${item} ${idempotencyKey.slice(runId.length)}`);
          return item;
        },
        compensate: ({ item, forwardKey, runId }) => keys.push(`${item} undone ${forwardKey.slice(runId.length)}`),
      })
      .step("then", { run: () => (keys.length === 2 ? refuse() : "sent") })
      .build();
    const manager = await bench.open([definition], { recovery: { strategy: "manual" } });
    const { id } = await bench.until(manager.start("s", { lines: ["a", "b"] }));
    await bench.toStatus(manager, id, "stuck");
    await bench.until(manager.act(id, "retry", { step: "charge", reason: "another list", actor: "ann" }));
    const run = await bench.until(manager.wait(id, 60_000));
    expect(run).toMatchObject({ status: "completed", output: "sent" });
    expect(keys).toEqual([
      "a :items[0]/charge",
      "b :items[1]/charge",
      "b undone :items[1]/charge",
      "a undone :items[0]/charge",
      "b :items[0]/charge:r2",
    ]);
    expect(run.steps.map(({ name, status }) => [name, status])).toEqual([
      ["charge", "completed"],
      ["items[0]/charge", "completed"],
      ["then", "completed"],
    ]);
  });

  it("fails when its outputs are too much for one, after those under way have ended", async () => {
    const begun: number[] = [];
    const large = (_: string, index: number) => {
      begun.push(index);
      return "x".repeat(400_000);
    };
    const manager = await bench.open([charging(large, 1).build()]);
    const run = await bench.toEnd(manager, "s", { lines: ["a", "b", "c", "d", "e"] });
    expect([run.status, begun]).toEqual(["compensated", [0, 1, 2]]);
    expect(run.error).toMatchObject({
      code: "payload-too-large",
      message: expect.stringMatching(/at most 1048576 bytes/),
    });
  });

  it("takes the one value that JSONata finds for a list of one, and nothing for a mistake", async () => {
    const service = { description: "", perform: perform(), compensate: () => Promise.reject() };
    const task = (map: string) => ({ name: "s", stages: [{ name: "each", service: "s", endpoint: "/a", map }] });
    const over = async (map: string) => {
      const manager = await bench.open([sagaFromConfig(task(map))], {}, { participants: { s: service } });
      const { output, error } = await bench.toEnd(manager, "s", { lines: [{ sku: "x", gift: true }, { sku: "y" }] });
      await bench.until(manager.close(0));
      return error?.message ?? output;
    };
    expect(await over("input.lines.sku")).toEqual(["x", "y"]);
    expect(await over("input.lines[gift].sku")).toEqual(["x"]);
    expect(await over("[input.lines[sku = 'z']]")).toEqual([]);
    expect(await over("input.line")).toMatch(/"each": expected a list, got nothing; write \[ \.\.\. \] around/);
  });

  it("goes on where it was after a restart", async () => {
    const calls: string[] = [];
    const definition = charging(async (item) => {
      calls.push(item);
      await bench.later(1_000);
      return item;
    }, 2).build();
    const first = await bench.open([definition]);
    const lines = ["a", "b", "c", "d", "e"];
    const { id } = await bench.until(first.start("s", { lines }));
    await bench.pass(1_500);
    await bench.until(first.close(0));
    const second = await bench.open([definition]);
    expect(await bench.until(second.wait(id, 60_000))).toMatchObject({ status: "completed", output: lines });
    // Two were under way, and are redone under their keys.
    expect(calls.sort()).toEqual(["a", "b", "c", "c", "d", "d", "e"]);
  });

  it("computes an input for each item, once", async () => {
    const sent: Json[] = [];
    let failed = false;
    const service = {
      description: "",
      perform: async (_: unknown, call: { input: Json; isMapped: boolean; item?: Json; index?: number }) => {
        sent.push([call.input, call.isMapped, call.item ?? null, call.index ?? null]);
        if (!failed) {
          failed = true;
          const error = { code: "x", message: "x" };
          return { kind: "failed", error, mayHaveRun: true, retry: true } as const;
        }
        return { kind: "completed", output: call.input } as const;
      },
      compensate: () => Promise.reject(),
    };
    const stage = { name: "charge", service: "s", endpoint: "/charge", map: "input.lines", concurrency: 1 };
    const input = { sku: "${ item.sku }", nth: "${ index }", at: "${ $millis() }" };
    const task = { name: "s", stages: [{ ...stage, input }] };
    const manager = await bench.open([sagaFromConfig(task)], {}, { participants: { s: service } });
    await bench.toEnd(manager, "s", { lines: [{ sku: "x" }, { sku: "y" }] });
    expect(sent).toHaveLength(3);
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[2]).toEqual([{ sku: "y", nth: 1, at: expect.any(Number) }, true, { sku: "y" }, 1]);
  });

  it.each([
    ["no list", { lines: "abc" }, /expected a list, got "abc"/],
    ["a list that is too long", { lines: Array.from({ length: 1_001 }, () => "x") }, /at most 1000 items, got 1001/],
  ])("fails for good over %s", async (_, input, message) => {
    const manager = await bench.open([charging(() => 1).build()]);
    const run = await bench.toEnd(manager, "s", input);
    expect(run.status).toBe("compensated");
    expect(run.error?.message).toMatch(message);
  });

  it("undoes the items of a completed child", async () => {
    const undone: string[] = [];
    const child = charging((item) => item, 2, undone).build();
    const parent = saga<Lines>("parent").child("inner", { saga: child }).step("no", { run: refuse }).build();
    const manager = await bench.open([parent, child]);
    expect((await bench.toEnd(manager, "parent", { lines: ["a", "b", "c"] })).status).toBe("compensated");
    expect(undone).toEqual(['c completed "c"', 'b completed "b"', 'a completed "a"']);
  });
});

describe("a long list", () => {
  it("costs for its last items what it costs for its first ones", async () => {
    const bench = await SagaBench.create("memory");
    const definition = saga("s")
      .map("each", { over: () => Array.from({ length: 1_000 }, (_, n) => n), concurrency: 5, run: ({ item }) => item })
      .returns(() => null)
      .build();
    const manager = await bench.open([definition]);
    const run = await bench.toEnd(manager, "s");
    const rows = await manager.journal(run.id);
    const bytes = rows.map((row) => JSON.stringify(row.records).length);
    const sum = (from: number, to: number) => bytes.slice(from, to).reduce((total, each) => total + each, 0);
    // Row 1 has the list; the last one, the end.
    expect(sum(-101, -1)).toBeLessThan(1.1 * sum(1, 101));
    expect(rows.length).toBeLessThanOrEqual(1_002);
    await bench.close();
  });
});
