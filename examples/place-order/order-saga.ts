/** An order: stock and payment together, and past the point of no return the parcel. */
import { BusinessRefusal, saga } from "@clean-arch/runtime";

export type Order = { readonly sku: string; readonly quantity: number; readonly cents: number };

/** Effects by idempotency key: a step that runs twice has its effect once. */
export const reserved = new Map<string, number>();
export const charged = new Map<string, number>();

export const placeOrder = saga<Order>("place-order", { timeout: "5m" })
  .parallel((group) =>
    group
      .step("stock", {
        run: ({ input, idempotencyKey }) => {
          reserved.set(idempotencyKey, input.quantity);
          return { parcel: `${input.quantity} x ${input.sku}` };
        },
        compensate: ({ forwardKey }) => reserved.delete(forwardKey),
      })
      .step("payment", {
        run: ({ input, idempotencyKey }) => {
          if (input.cents > 10_000) throw new BusinessRefusal("the card's limit is 100.00", "card-declined");
          charged.set(idempotencyKey, input.cents);
          return { paid: input.cents };
        },
        compensate: ({ forwardKey }) => charged.delete(forwardKey),
        retry: { maxAttempts: 3, initialDelay: "200ms" },
        timeout: "10s",
      }),
  )
  .pivot()
  .step("ship", { run: ({ outputs }) => ({ shipped: outputs.stock.parcel }) })
  .returns((outputs) => ({ ...outputs.ship, ...outputs.payment }))
  .build();
