import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ledger } from "../../participants/ledger.js";
import { ledgerContract } from "../../testing/ledger-contract.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { createSqliteLedger } from "./ledger.js";

ledgerContract("sqlite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "clean-arch-ledger-"));
  const clock = createManualClock();
  const ledgers: Ledger[] = [];
  const reopen = () => {
    const ledger = createSqliteLedger({ file: join(folder, "ledger.db"), clock });
    ledgers.push(ledger);
    return ledger;
  };
  const close = async () => {
    await Promise.all(ledgers.map((ledger) => ledger.close()));
    await rm(folder, { recursive: true });
  };
  return { ledger: reopen(), advance: clock.advance, reopen, close };
});
