import { ledgerContract } from "../../testing/ledger-contract.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { createMemoryLedger } from "./ledger.js";

ledgerContract("memory", async () => {
  const clock = createManualClock();
  return { ledger: createMemoryLedger({ clock }), advance: clock.advance, close: async () => undefined };
});
