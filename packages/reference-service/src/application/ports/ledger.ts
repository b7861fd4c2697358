import type { Ledger as RuntimeLedger } from "@clean-arch/runtime";

/** What the simulated services did, once per idempotency key. */
export type Ledger = Pick<RuntimeLedger, "list">;
