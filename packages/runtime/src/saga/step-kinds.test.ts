import { describe, expect, it } from "vitest";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { saga } from "./builder.js";
import type { SagaDefinition } from "./definition.js";
import { type StageConfig, sagaFromConfig } from "./from-config.js";

interface Order {
  readonly sku: string;
  readonly gift: boolean;
}

/** Without the functions that evaluate: their texts say what they are. */
const shapeOf = (definition: SagaDefinition): unknown => JSON.parse(JSON.stringify(definition));

describe("the builder's step kinds", () => {
  it("carry types through conditions, inputs and waits", () => {
    saga<Order>("s")
      .step("wrap", { when: ({ input }) => input.gift, run: () => ({ paper: "red" }) })
      .sleep("pause", { for: ({ input }) => input.sku.length * 1_000 })
      .waitFor("approved")
      .step("ship", {
        input: ({ input, outputs }) => ({ parcel: input.sku, paper: outputs.wrap?.paper ?? "none" }),
        run: ({ input, outputs }) => {
          const approval: Json = outputs.approved;
          const nothing: null = outputs.pause;
          return { parcel: input.parcel, approval, nothing };
        },
        compensate: ({ input, output }) => [input.paper.length, output?.parcel.length],
      })
      .parallel((group) =>
        group
          .step("last", { run: ({ input }) => input.sku })
          .sleep("beside", { for: "1s" })
          .waitFor("too"),
      )
      .returns(({ last, beside, too }) => [last.length, beside satisfies null, too]);
  });

  it("carry types through maps", () => {
    const lines = ({ input }: { readonly input: Order }) => [{ sku: input.sku, quantity: 2 }];
    saga<Order>("s")
      .map("reserve", {
        over: lines,
        input: ({ item, index, input }) => ({ line: `${index} ${item.quantity}`, gift: input.gift }),
        run: ({ item, input }) => ({ reserved: item.quantity, line: input.line.length }),
        compensate: ({ item, output, input }) => [item.sku, output?.reserved.toFixed(), input.gift satisfies boolean],
      })
      .map("maybe", { when: ({ input }) => input.gift, over: lines, run: ({ index }) => index })
      .map("remote", { service: "x", endpoint: "/a", over: "input.lines", input: { sku: "${ item.sku }" } })
      .parallel((group) => group.map("beside", { over: () => ["a"], run: () => {} }))
      .returns(({ reserve, maybe, remote, beside }) => [
        reserve.map(({ reserved }) => reserved.toFixed()),
        maybe?.map((index) => index.toFixed()),
        remote satisfies readonly Json[],
        beside satisfies readonly null[],
      ]);
  });

  it("do not compile maps that cannot be meant", () => {
    const one = saga<Order>("s").map("each", { over: ({ input }) => [input.sku], run: ({ item }) => item.length });
    // @ts-expect-error the output is a list
    one.returns(({ each }) => each.toFixed());
    // @ts-expect-error an item has no such field
    one.map("more", { over: ({ input }) => [input.sku], run: ({ item }) => item.sku });
    // @ts-expect-error a list is mapped over
    one.map("more", { over: ({ input }) => input.gift, run: () => 1 });
    // @ts-expect-error the list is made of outputs of earlier steps
    one.map("more", { over: ({ outputs }) => outputs.later, run: () => 1 });
    // @ts-expect-error the name is taken
    one.map("each", { over: () => [1], run: () => 1 });
    // @ts-expect-error items are of a map alone
    one.step("more", { run: ({ item }) => item });
    // @ts-expect-error an item is of the list's type
    one.map("more", { over: () => [1], run: () => 1, compensate: ({ item }) => item.length });
    const maybe = one.map("maybe", { when: () => true, over: () => [1], run: () => 1 });
    // @ts-expect-error a skipped map has no list
    maybe.returns(({ maybe: list }) => list.length);
  });

  it("do not compile where they cannot be meant", () => {
    const one = saga<Order>("s").step("wrap", { when: ({ input }) => input.gift, run: () => ({ paper: "red" }) });
    // @ts-expect-error a skipped step has no output
    one.returns(({ wrap }) => wrap.paper);
    // @ts-expect-error the mapped input has no such field
    one.step("ship", { input: () => ({ parcel: "p" }), run: ({ input }) => input.sku });
    // @ts-expect-error a condition gives a boolean
    one.step("maybe", { when: ({ input }) => input.sku, run: () => 1 });
    // @ts-expect-error a duration names its unit
    expect(() => one.sleep("nap", { for: "30" })).toThrow(RuntimeError);
    // @ts-expect-error the name is taken
    one.waitFor("wrap");
    // @ts-expect-error an expression reads outputs of earlier steps
    one.sleep("nap", { for: ({ outputs }) => outputs.later });
  });

  it("refuse a bad expression, duration or signal where they are declared", () => {
    const s = saga("s");
    expect(() => s.step("a", { service: "x", endpoint: "/a", when: "input.(" })).toThrow(
      /^a\.when: expected a JSONata/,
    );
    expect(() => s.step("a", { service: "x", endpoint: "/a", input: { b: "${ 1 + }" } })).toThrow(/^a\.input\.b: /);
    expect(() => s.sleep("a", { for: "${ $foo( }" })).toThrow(/^a\.for: /);
    expect(() => s.map("a", { service: "x", endpoint: "/a", over: "input.(" })).toThrow(/^a\.over: expected a JSONata/);
    const each = { over: () => [], run: () => 1 };
    for (const concurrency of [0, 1.5, 1_001])
      expect(() => s.map("a", { ...each, concurrency }).build()).toThrow(/a concurrency of 1 to 1000 in step "a", got/);
    for (const maxItems of [0, 10_001])
      expect(() => s.map("a", { ...each, maxItems }).build()).toThrow(/at most 1 to 10000 items in step "a", got/);
    expect(() => s.waitFor("a", { signal: "no/slash" }).build()).toThrow(/step "a" to wait for a signal named by/);
  });

  it("give another version to another kind or signal, and the same to another time or condition", () => {
    const version = (stage: Partial<StageConfig>) =>
      sagaFromConfig({ name: "s", stages: [{ name: "a", ...stage }] }).version;
    const action = { service: "x", endpoint: "/a" };
    expect(version({ sleep: 1 })).toBe(version({ sleep: "${ input.ms }", when: "input.now" }));
    expect(version({ wait_for: "go" })).toBe(version({ wait_for: "go", timeout: 5, on_timeout: "refuse" }));
    expect(version(action)).toBe(version({ ...action, when: "true", input: "input.order" }));
    expect(
      new Set([
        version({ sleep: 1 }),
        version({ wait_for: "go" }),
        version({ wait_for: "stop" }),
        version(action),
        version({ ...action, map: "input.lines" }),
      ]).size,
    ).toBe(5);
    expect(version({ ...action, map: "input.lines" })).toBe(version({ ...action, map: "[1]", concurrency: 9 }));
    // Runs of versions before the kinds go on.
    expect(version(action)).toBe("846a5a0572989803");
  });
});

describe("step kinds from config", () => {
  it("make the definition that the builder makes", () => {
    const service = { service: "x", endpoint: "/a" };
    const fromConfig = sagaFromConfig({
      name: "s",
      stages: [
        { name: "a", ...service, when: "input.gift", input: { sku: "${ input.sku }" } },
        { name: "nap", sleep: "90s" },
        { name: "until", sleep: "${ input.until }" },
        { name: "each", ...service, map: "input.lines", concurrency: 3, max_items: 20, input: "item.sku" },
        { name: "all", ...service, map: "[input.all]" },
        {
          name: "group",
          parallel: [
            { name: "b", ...service, input: "input.order" },
            { name: "approval", wait_for: "approved", timeout: "2h", on_timeout: "skip", when: "input.gift" },
          ],
        },
      ],
    });
    const built = saga("s")
      .step("a", { ...service, when: "input.gift", input: { sku: "${ input.sku }" } })
      .sleep("nap", { for: "90s" })
      .sleep("until", { for: "${ input.until }" })
      .map("each", { ...service, over: "input.lines", concurrency: 3, maxItems: 20, input: "item.sku" })
      .map("all", { ...service, over: "[input.all]" })
      .parallel((group) =>
        group
          .step("b", { ...service, input: "input.order" })
          .waitFor("approval", { signal: "approved", timeout: "2h", onTimeout: "skip", when: "input.gift" }),
      )
      .build();
    expect(shapeOf(fromConfig)).toEqual(shapeOf(built));
  });

  it.each<[string, Partial<StageConfig>, RegExp]>([
    ["nothing", {}, /to name its service and endpoint/],
    ["two things", { sleep: 1, wait_for: "go" }, /to be one of sleep and wait_for, got both/],
    ["a bad expression", { sleep: "${ input. }" }, /s\.a\.sleep: expected a JSONata expression/],
    ["a map without a service", { map: "input.lines" }, /stage s\.a to map over a list with a service/],
    ["a map of a bad expression", { service: "x", endpoint: "/a", map: "input." }, /s\.a\.map: expected a JSONata/],
    ["a concurrency without a map", { service: "x", endpoint: "/a", concurrency: 2 }, /concurrency beside map in/],
    ["a bad duration", { sleep: "soon" }, /s\.a\.sleep to be a duration/],
  ])("say where a stage is %s", (_, stage, message) => {
    expect(() => sagaFromConfig({ name: "s", stages: [{ name: "a", ...stage }] })).toThrow(message);
  });

  it("refuse to undo what does nothing", () => {
    const task = { name: "s", stages: [{ name: "a", sleep: 1 }], compensation: [{ stage: "a", action: "x" }] };
    expect(() => sagaFromConfig(task)).toThrow(/no compensation of stage s\.a/);
  });
});
