import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Json } from "../json.js";
import { SagaBench, scripted } from "../testing/saga-bench.test.support.js";
import { saga } from "./builder.js";
import { sagaFromConfig } from "./from-config.js";

describe("a saga manager, with conditions and inputs", () => {
  let bench: SagaBench;
  beforeEach(async () => {
    bench = await SagaBench.create("memory");
  });
  afterEach(() => bench.close());

  it("skips a step whose condition says no, shows it so, and never undoes it", async () => {
    const log: string[] = [];
    const note = (name: string) => ({ run: () => log.push(name), compensate: () => log.push(`undo ${name}`) });
    const definition = saga<{ gift: boolean; fail: boolean }>("s")
      .step("a", note("a"))
      .step("wrap", { ...note("wrap"), when: ({ input }) => input.gift })
      .step("ship", {
        run: ({ input, outputs }) => {
          if (input.fail) throw new Error("no");
          return outputs.wrap;
        },
        retry: { maxAttempts: 1 },
      })
      .build();
    const manager = await bench.open([definition]);
    const shipped = await bench.toEnd(manager, "s", { gift: false, fail: false });
    expect(shipped).toMatchObject({ status: "completed", output: null });
    expect(shipped.steps.map(({ name, status, output }) => [name, status, output])).toEqual([
      ["a", "completed", 1],
      ["wrap", "skipped", null],
      ["ship", "completed", null],
    ]);
    log.length = 0;
    await bench.toEnd(manager, "s", { gift: false, fail: true });
    expect(log).toEqual(["a", "undo a"]);
    log.length = 0;
    await bench.toEnd(manager, "s", { gift: true, fail: true });
    expect(log).toEqual(["a", "wrap", "undo wrap", "undo a"]);
  });

  it("sends what the input expression makes, the same in every attempt, though the context changes", async () => {
    const sent: Json[] = [];
    const step = scripted("charge", [], [new Error("once"), new Error("twice")]);
    const definition = saga<{ cents: number }>("s")
      .step("a", { run: () => ({ context: { rate: 2 } }) })
      .step("charge", {
        input: ({ input, context }) => ({ amount: input.cents * Number(context["rate"]) }),
        run: async (call) => {
          sent.push({ ...call.input });
          call.context.patch({ rate: 3 });
          return step.run(call);
        },
        compensate: ({ input }) => sent.push({ back: input.amount }),
      })
      .step("no", {
        run: () => {
          throw new Error("no");
        },
        retry: { maxAttempts: 1 },
      })
      .build();
    const manager = await bench.open([definition], { recovery: { initialDelayMs: 100 } });
    const run = await bench.toEnd(manager, "s", { cents: 50 });
    expect(run.status).toBe("compensated");
    expect(sent).toEqual([{ amount: 100 }, { amount: 100 }, { amount: 100 }, { back: 100 }]);
  });

  it("fails a step for good when its expression throws, and says what was wrong", async () => {
    const definition = sagaFromConfig({
      name: "s",
      stages: [{ name: "a", service: "s", endpoint: "/a", when: "input.count" }],
    });
    const never = { description: "", perform: () => Promise.reject(), compensate: () => Promise.reject() };
    const manager = await bench.open([definition], {}, { participants: { s: never } });
    const run = await bench.toEnd(manager, "s", { count: 3 });
    expect(run).toMatchObject({ status: "compensated", error: { code: "expression-failed" } });
    expect(run.error?.message).toContain("to give true or false, got 3");
    expect(run.steps[0]).toMatchObject({ status: "failed", attempts: 0 });
  });

  it("writes what an expression gave into the row of the dispatch", async () => {
    const definition = saga<{ n: number }>("s")
      .step("a", { run: () => 1 })
      .step("b", { when: ({ outputs }) => outputs.a === 1, input: ({ input }) => input.n, run: ({ input }) => input })
      .build();
    const manager = await bench.open([definition]);
    const { id } = await bench.toEnd(manager, "s", { n: 7 });
    const rows = await manager.journal(id);
    expect(rows.map((row) => row.records.map((record) => record.kind))).toEqual([
      ["dispatched"],
      ["completed", "evaluated", "dispatched"],
      ["completed", "finished"],
    ]);
    expect(rows[1]?.records[1]).toEqual({ kind: "evaluated", step: "b", input: 7 });
  });

  it("hands a service the mapped input as its body, and a simulation its script all the same", async () => {
    const calls: { readonly input: Json; readonly isMapped: boolean; readonly runInput: Json }[] = [];
    const service = {
      description: "",
      perform: async (_: unknown, call: (typeof calls)[number]) => {
        calls.push({ input: call.input, isMapped: call.isMapped, runInput: call.runInput });
        return { kind: "completed", output: null } as const;
      },
      compensate: () => Promise.reject(),
    };
    const stage = { name: "a", service: "s", endpoint: "/a" };
    const input = { total: "${ $sum(input.lines.cents) }", note: "plain", first: ["${ input.lines[0].sku }"] };
    const manager = await bench.open(
      [sagaFromConfig({ name: "s", stages: [{ ...stage, input }] })],
      {},
      {
        participants: { s: service },
      },
    );
    const runInput = {
      lines: [
        { sku: "x", cents: 3 },
        { sku: "y", cents: 4 },
      ],
    };
    await bench.toEnd(manager, "s", runInput);
    expect(calls).toEqual([{ input: { total: 7, note: "plain", first: ["x"] }, isMapped: true, runInput }]);
  });
});
