/** Yours: what on_payment_captured does about an event. */
import { cloudEvent } from "@clean-arch/runtime";
import { expect, test } from "vitest";
import type { EventDeps } from "../../../src/application/event-handlers/event-handler.generated.js";
import { onPaymentCaptured } from "../../../src/application/event-handlers/on-payment-captured.js";

test("on_payment_captured handles payment.captured", async () => {
  const told: object[] = [];
  const say = (facts: object): void => void told.push(facts);
  const deps = { logger: { debug: say, info: say, warn: say, error: say } } as unknown as EventDeps;
  const event = cloudEvent({ source: "/services/billing-service", type: "payment.captured", subject: "one", data: {} });
  const context = { attempt: 1, signal: new AbortController().signal, publish: () => {} };
  await onPaymentCaptured(event, deps, context);
  expect(told).toMatchObject([{ event: event.id, type: "payment.captured", subject: "one" }]);
});
