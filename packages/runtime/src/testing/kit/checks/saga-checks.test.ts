import { describe, expect, it } from "vitest";
import { BusinessRefusal } from "../../../errors.js";
import { saga } from "../../../saga/builder.js";
import type { SagaDefinition } from "../../../saga/definition.js";
import type { SagaTestOptions } from "./saga-check-options.js";
import { sagaChecks } from "./saga-checks.js";

/** A shop's state, changed once per key. */
class Shop {
  stock = 3;
  readonly charged = new Map<string, number>();
  readonly shipped = new Set<string>();
  readonly #reserved = new Set<string>();

  reserve(key: string): void {
    if (this.#reserved.has(key)) return;
    this.#reserved.add(key);
    this.stock -= 1;
  }

  release(key: string): void {
    if (this.#reserved.delete(key)) this.stock += 1;
  }
}

interface Bugs {
  readonly reserve?: (shop: Shop, key: string) => void;
  readonly release?: (shop: Shop, key: string, outcome: string) => void;
  readonly charge?: (shop: Shop, key: string) => void;
}

function order(shop: () => Shop, bugs: Bugs = {}): SagaDefinition {
  return saga<{ cents: number; gift: boolean }>("order", { timeout: "90d" })
    .step("reserve", {
      run: ({ idempotencyKey }) => (bugs.reserve ?? ((at, key) => at.reserve(key)))(shop(), idempotencyKey),
      compensate: ({ forwardKey, outcome }) =>
        (bugs.release ?? ((at, key) => at.release(key)))(shop(), forwardKey, outcome),
    })
    .parallel((group) =>
      group
        .step("charge", {
          run: async ({ idempotencyKey, input }) => {
            await Promise.resolve();
            if (bugs.charge !== undefined) return bugs.charge(shop(), idempotencyKey);
            shop().charged.set(idempotencyKey, input.cents);
          },
          compensate: ({ forwardKey }) => void shop().charged.delete(forwardKey),
        })
        .step("wrap", {
          when: ({ input }) => input.gift,
          service: "gifts",
          endpoint: "/wrap",
          compensate: { service: "gifts", endpoint: "/unwrap" },
        }),
    )
    .sleep("cool_off", { for: "30d" })
    .waitFor("approve", { timeout: "7d" })
    .map("label", {
      over: () => [1, 2, 3],
      concurrency: 2,
      run: ({ item }) => `label ${item}`,
      compensate: () => {},
    })
    .pivot()
    .step("ship", { run: ({ idempotencyKey }) => void shop().shipped.add(idempotencyKey) })
    .waitFor("receipt")
    .build();
}

function shopping(bugs: Bugs = {}): [SagaDefinition, SagaTestOptions] {
  let shop = new Shop();
  const options: SagaTestOptions = {
    input: { cents: 500, gift: false },
    beforeEach: () => {
      shop = new Shop();
    },
    afterEach: ({ status }) => {
      const seen = [shop.stock, shop.charged.size, shop.shipped.size];
      if (status === "completed") expect(seen).toEqual([2, 1, 1]);
      else if (status !== "stuck") expect(seen).toEqual([3, 0, 0]);
    },
  };
  return [order(() => shop, bugs), options];
}

async function failures(checks: ReturnType<typeof sagaChecks>): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of checks) await run().catch(() => failed.push(name));
  return failed;
}

describe("the checks of a saga with steps of most kinds", () => {
  const [definition, options] = shopping();
  for (const check of sagaChecks(definition, options)) it(check.name, check.run);

  it("are named after what they see", () => {
    expect(sagaChecks(definition, options).map(({ name }) => name)).toMatchSnapshot();
  });
});

describe("the checks of a saga whose conditions say yes", () => {
  const [definition, options] = shopping();
  for (const check of sagaChecks(definition, { ...options, input: { cents: 500, gift: true } }))
    it(check.name, check.run);
});

describe("the checks of a saga that runs another one", () => {
  const pack = saga("pack")
    .step("box", { service: "store", endpoint: "/box", compensate: { service: "store", endpoint: "/unbox" } })
    .step("seal", { service: "store", endpoint: "/seal" })
    .build();
  const parent = saga("parcel")
    .step("fetch", { service: "store", endpoint: "/fetch", compensate: { service: "store", endpoint: "/return" } })
    .child("pack", { saga: pack })
    .step("hand_over", { service: "courier", endpoint: "/parcels" })
    .build();
  for (const check of sagaChecks(parent, { definitions: [pack] })) it(check.name, check.run);
});

describe("the checks of a choreographed saga", () => {
  const danced = saga("danced", { style: "choreography" })
    .step("a", { service: "one", endpoint: "/a", compensate: { service: "one", endpoint: "/undo-a" } })
    .step("b", { service: "two", endpoint: "/b" })
    .build();
  for (const check of sagaChecks(danced)) it(check.name, check.run);
});

describe("the checks of a saga under another strategy", () => {
  const plain = saga("plain")
    .step("a", { service: "one", endpoint: "/a", compensate: { service: "one", endpoint: "/undo-a" } })
    .waitFor("word", { timeout: "1h" })
    .step("b", { service: "two", endpoint: "/b" })
    .build();
  for (const recovery of [{ strategy: "manual" }, { strategy: "retry" }, { enabled: false }] as const) {
    for (const { name, run } of sagaChecks(plain, { config: { recovery } }))
      it(`${JSON.stringify(recovery)}: ${name}`, run);
  }
});

describe("a saga's checks find", () => {
  it("a step that has its effect again when it is asked again", async () => {
    const [definition, options] = shopping({
      reserve: (shop) => {
        shop.stock -= 1;
      },
      release: (shop) => {
        shop.stock += 1;
      },
    });
    const failed = await failures(sagaChecks(definition, options));
    expect(failed).toContain('"reserve" is done twice, under one key: its first reply is lost');
    expect(failed).toContain("a crash before and after each row of the journal changes nothing");
    expect(failed).not.toContain("completes");
  });

  it("a compensation that undoes only what it is sure of", async () => {
    const [definition, options] = shopping({
      release: (shop, key, outcome) => {
        if (outcome === "completed") shop.release(key);
      },
    });
    expect(await failures(sagaChecks(definition, options))).toEqual([
      'nobody knows whether "reserve" ran, and it ran: its compensation sees to that',
    ]);
  });

  it("a compensation that fails when there is nothing to undo", async () => {
    const [definition, options] = shopping({
      release: (shop, key) => {
        const before = shop.stock;
        shop.release(key);
        if (shop.stock === before) throw new BusinessRefusal("never reserved");
      },
    });
    const failed = await failures(sagaChecks(definition, options));
    expect(failed).toContain('nobody knows whether "reserve" ran, and it did not run: its compensation sees to that');
    expect(failed).toContain('the compensation of "reserve" is done twice, under one key: its first reply is lost');
  });

  it("a saga that does not complete, and say which step, what was seen, and what the journal has", async () => {
    const [definition, options] = shopping({
      charge: () => {
        throw new BusinessRefusal("no money", "broke");
      },
    });
    const [completes] = sagaChecks(definition, options);
    const message = await completes?.run().then(
      () => "nothing",
      (error: Error) => error.message,
    );
    expect(message).toContain(
      'saga "order", check "completes": expected the run to end completed, got compensated: broke, no money',
    );
    expect(message).toMatch(/\n {3}1 {2}f1 {2}\+0ms +dispatched step=reserve direction=forward attempt=1 round=1\n/);
    expect(message).toMatch(
      /2026-01-01T00:00:00.\d{3}Z {2}undo reserve \(completed\) #1: done, key [0-9a-f-]{36}:reserve:compensate/,
    );
  });

  it("a step performed elsewhere, which it refuses to judge", () => {
    const elsewhere = saga("elsewhere", { style: "choreography" }).step("far", { performed: "elsewhere" }).build();
    expect(() => sagaChecks(elsewhere)).toThrow('got "far", which another service performs by events');
  });
});
