// cspell:ignore datname
import { type Postgres, startPostgres } from "@clean-arch/test-servers";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Ledger, NewLedgerEntry } from "../../participants/ledger.js";
import { ledgerContract } from "../../testing/ledger-contract.js";
import { createManualClock } from "../../testing/manual-clock.js";
import { createPostgresLedger } from "./ledger.js";

let server: Postgres;
beforeAll(async () => {
  server = await startPostgres({ fsync: false });
}, 60_000);
afterAll(() => server?.remove());

let databases = 0;
/** The url of a new database. */
function freshDatabase(): string {
  databases += 1;
  server.create(`ledger_${databases}`);
  return server.url(`ledger_${databases}`);
}

ledgerContract("postgres", async () => {
  const url = freshDatabase();
  const clock = createManualClock();
  const ledgers: Ledger[] = [];
  const reopen = () => {
    const ledger = createPostgresLedger({ url, clock });
    ledgers.push(ledger);
    return ledger;
  };
  const close = async () => {
    await Promise.all(ledgers.map((ledger) => ledger.close()));
  };
  return { ledger: reopen(), advance: clock.advance, reopen, close };
});

const entry = (key: string, kind: NewLedgerEntry["kind"] = "forward"): NewLedgerEntry => ({
  ...{ key, kind, run: "r", service: "payments", stage: "pay", reference: `ref ${key}` },
});

it("is one ledger for many instances: of a call and its compensation at once, one comes first and both know it", async () => {
  const url = freshDatabase();
  const instances = Array.from({ length: 4 }, () => createPostgresLedger({ url }));
  try {
    const pairs = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const [one, other] = [instances[n % 4], instances[(n + 1) % 4]];
        const forward = one?.record(entry(`r:${n}`));
        const undo = other?.record(entry(`r:${n}:compensate`, "compensate"));
        return { n, late: (await forward)?.late, undone: (await undo)?.first };
      }),
    );
    const kept = new Set((await instances[0]?.list({ limit: 200 }))?.items.map(({ key }) => key));
    for (const { n, late, undone } of pairs) {
      expect(undone, `r:${n}`).toBe(true);
      expect(kept.has(`r:${n}`), `r:${n}`).toBe(!late);
    }
  } finally {
    await Promise.all(instances.map((ledger) => ledger.close()));
  }
});

it("says that its database does not answer, and goes on when it does", async () => {
  const ledger = createPostgresLedger({ url: freshDatabase() });
  try {
    await ledger.record(entry("r:1"));
    server.run("select pg_terminate_backend(pid) from pg_stat_activity where datname like 'ledger_%'");
    await expect.poll(() => ledger.record(entry("r:2")).then(({ entry: { key } }) => key, String)).toBe("r:2");
  } finally {
    await ledger.close();
  }
  const nowhere = createPostgresLedger({ url: "postgresql://postgres@127.0.0.1:1/none" });
  await expect(nowhere.record(entry("r:1"))).rejects.toMatchObject({ code: "store-unavailable" });
  await nowhere.close();
});
