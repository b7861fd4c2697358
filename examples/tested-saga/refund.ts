/** A saga and the two functions it needs, given from outside so that a test can give others. */
import { type SagaDefinition, saga } from "@clean-arch/runtime";

export type Refund = { readonly order: string; readonly cents: number };

export interface Bank {
  credit(key: string, cents: number): Promise<void>;
  debit(key: string): Promise<void>;
}

export interface Mail {
  send(key: string, text: string): Promise<void>;
}

export function refundSaga(bank: Bank, mail: Mail): SagaDefinition {
  return saga<Refund>("refund")
    .step("credit", {
      run: ({ input, idempotencyKey }) => bank.credit(idempotencyKey, input.cents),
      compensate: ({ forwardKey }) => bank.debit(forwardKey),
    })
    .step("tell", { run: ({ input, idempotencyKey }) => mail.send(idempotencyKey, `order ${input.order} refunded`) })
    .build();
}
