import { describe, expect, it } from "vitest";
import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";
import { saga } from "./builder.js";
import { sagaFromConfig } from "./from-config.js";

interface Order {
  readonly sku: string;
  readonly total: number;
}

const reserve = () => ({ reservationId: "r-1" });
const charge = () => ({ paymentId: 7 });

describe("saga builder", () => {
  it("carries outputs to later steps, and to nobody else", () => {
    const placeOrder = saga<Order>("place-order")
      .step("validate", { run: ({ input }) => ({ ok: input.total > 0 }), timeout: "60s" })
      .parallel((group) =>
        group.step("stock", { run: reserve, compensate: ({ output }) => output?.reservationId }).step("payment", {
          run: ({ outputs }) => {
            // @ts-expect-error a sibling's output is not there yet
            void outputs.stock;
            // @ts-expect-error nor is a later step's
            void outputs.ship;
            return outputs.validate.ok ? charge() : charge();
          },
          retry: { maxAttempts: 5, backoff: "exponential", initialDelay: "100ms" },
        }),
      )
      .pivot()
      .step("ship", {
        run: ({ outputs }) => ({ trackingId: `t-${outputs.stock.reservationId}-${outputs.payment.paymentId}` }),
      })
      .returns((outputs) => ({ trackingId: outputs.ship.trackingId }))
      .build();

    expect(placeOrder.waves.map((wave) => wave.steps.map((step) => step.name))).toEqual([
      ["validate"],
      ["stock", "payment"],
      ["ship"],
    ]);
    expect(placeOrder.pivotAfterWave).toBe(1);
    const retry = { maxAttempts: 5, backoff: "exponential", initialDelayMs: 100 };
    expect(placeOrder.waves[1]?.steps[1]).toMatchObject({ retry });
  });

  it("refuses at compile time what cannot be meant", () => {
    const one = saga<Order>("one").step("first", { run: () => 1 });
    // @ts-expect-error the name is taken
    expect(() => one.step("first", { run: () => 2 }).build()).toThrow(RuntimeError);
    // @ts-expect-error the input has no such field
    one.step("second", { run: ({ input }) => input.quantity });
    // @ts-expect-error a duration names its unit
    saga("two", { timeout: "30" });
    // @ts-expect-error an output is of its step's type
    one.returns((outputs) => outputs.first.length);
    const service = one.step("third", { service: "stock_service", endpoint: "/reserve" });
    service.returns(({ third }) => {
      const output: Json = third;
      return output;
    });
  });

  it("refuses a saga without steps, an empty group, and names that could not be keys", () => {
    expect(() => saga("empty").build()).toThrow(/at least one step/);
    expect(() =>
      saga("empty-group")
        .parallel((group) => group)
        .step("a", { run: () => 1 })
        .build(),
    ).toThrow(/parallel group/);
    expect(() =>
      saga("bad")
        .step("a:b", { run: () => 1 })
        .build(),
    ).toThrow(/"a:b"/);
    expect(() =>
      saga("../x")
        .step("a", { run: () => 1 })
        .build(),
    ).toThrow(/\.\.\/x/);
  });

  it("gives the same version to the same shape, and another one to another shape", () => {
    const build = (endpoint: string, timeout: "1s" | "2s") =>
      saga("s").step("a", { service: "x", endpoint, timeout }).build();
    expect(build("/a", "1s").version).toBe(build("/b", "2s").version);
    expect(build("/a", "1s").version).not.toBe(saga("s").step("b", { service: "x", endpoint: "/a" }).build().version);
    expect(
      saga("s")
        .step("a", { run: () => 1 })
        .pivot()
        .build().version,
    ).not.toBe(build("/a", "1s").version);
  });
});

describe("saga from config", () => {
  it("makes the definition that the builder makes", () => {
    const fromConfig = sagaFromConfig({
      name: "order_processing",
      timeout: 1800,
      stages: [
        { name: "validate_order", service: "order_service", endpoint: "validate", timeout: 60 },
        {
          name: "prepare",
          parallel: [
            {
              name: "reserve",
              service: "stock_service",
              endpoint: "/reserve",
              retry: { max_attempts: 3, initial_delay: "250ms" },
            },
            { name: "quote", service: "shipping_service", endpoint: "/quote", method: "GET", refusals: [404] },
          ],
        },
        { name: "charge", service: "payment_service", endpoint: "/charge", pivot: true },
      ],
      compensation: [
        { stage: "reserve", action: "release", timeout: "5s" },
        { stage: "not_there", action: "refund", service: "payment_service" },
      ],
    });
    const built = saga("order_processing", { timeout: "1800s" })
      .step("validate_order", { service: "order_service", endpoint: "/validate", timeout: "60s" })
      .parallel((group) =>
        group
          .step("reserve", {
            service: "stock_service",
            endpoint: "/reserve",
            retry: { maxAttempts: 3, initialDelay: "250ms" },
            compensate: { service: "stock_service", endpoint: "/release", timeout: "5s" },
          })
          .step("quote", { service: "shipping_service", endpoint: "/quote", method: "GET", refusals: [404] }),
      )
      .step("charge", { service: "payment_service", endpoint: "/charge" })
      .pivot()
      .build();
    expect(fromConfig).toEqual(built);
  });

  it("says which stage lacks its service", () => {
    expect(() => sagaFromConfig({ name: "s", stages: [{ name: "a" }] })).toThrow(
      /stage s\.a to name its service and endpoint/,
    );
  });
});
