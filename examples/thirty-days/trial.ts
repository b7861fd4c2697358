/** A trial for thirty days: somebody decides at its end, and then a parcel is sent, or what was set aside is given back. */
import { BusinessRefusal, type Duration, type SagaDefinition, saga } from "@clean-arch/runtime";

export interface Warehouse {
  /** Once per key. */
  setAside(key: string, sku: string): void | Promise<void>;
  giveBack(key: string): void | Promise<void>;
  ship(key: string, sku: string): void | Promise<void>;
}

type Decision = { readonly approved: boolean; readonly by: string };

/** `times`: how long the trial is, and how long somebody has to decide then. */
export function trialSaga(
  warehouse: Warehouse,
  times: { readonly trial: Duration; readonly decision: Duration } = { trial: "30d", decision: "7d" },
): SagaDefinition {
  return saga<{ sku: string }>("trial", { timeout: "60d" })
    .step("set_aside", {
      run: ({ input, idempotencyKey }) => warehouse.setAside(idempotencyKey, input.sku),
      compensate: ({ forwardKey }) => warehouse.giveBack(forwardKey),
    })
    .sleep("trial", { for: times.trial })
    .waitFor("decision", { timeout: times.decision })
    .step("decide", {
      run: ({ outputs }) => {
        const { approved, by } = outputs.decision as Decision;
        if (!approved) throw new BusinessRefusal(`${by} says no`, "not-approved");
        return { by };
      },
    })
    .pivot()
    .step("ship", { run: ({ input, idempotencyKey }) => warehouse.ship(idempotencyKey, input.sku) })
    .build();
}
