import { type SagaTestOptions, sagaChecks } from "@clean-arch/runtime/testing/sagas";
import { describe, expect, it } from "vitest";
import { charged, placeOrder, reserved } from "./order-saga.js";

const options: SagaTestOptions = {
  input: { sku: "lamp", quantity: 2, cents: 9_900 },
  beforeEach: () => {
    reserved.clear();
    charged.clear();
  },
  afterEach: ({ status }) => {
    const expected = status === "completed" ? { reserved: [2], charged: [9_900] } : { reserved: [], charged: [] };
    expect({ reserved: [...reserved.values()], charged: [...charged.values()] }).toEqual(expected);
  },
};

describe("the saga of an order", () => {
  for (const check of sagaChecks(placeOrder, options)) it(check.name, check.run);
});
