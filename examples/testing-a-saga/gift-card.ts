/** Cards with money on them, and a saga that sells one. Both versions of its undoing look right. */
import { type SagaDefinition, saga } from "@clean-arch/runtime";

export class Cards {
  /** Cents by the key that issued the card. */
  readonly issued = new Map<string, number>();

  issue(key: string, cents: number): void {
    this.issued.set(key, cents);
  }

  block(key: string): void {
    this.issued.delete(key);
  }
}

/** `cards`: those of now, for a test puts new ones in their place. */
export function giftCardSaga(cards: () => Cards, undo: "when sure" | "always"): SagaDefinition {
  return saga<{ cents: number }>("gift-card")
    .step("issue", {
      run: ({ input, idempotencyKey }) => cards().issue(idempotencyKey, input.cents),
      compensate: ({ forwardKey, outcome }) => {
        if (undo === "always" || outcome === "completed") cards().block(forwardKey);
      },
    })
    .step("charge", {
      service: "payment",
      endpoint: "/charge",
      compensate: { service: "payment", endpoint: "/refund" },
    })
    .pivot()
    .step("mail", { service: "mail", endpoint: "/cards" })
    .build();
}
