import { RuntimeError } from "../../errors.js";
import type { Ledger, LedgerEntry } from "../../participants/ledger.js";
import { type Clock, systemPorts } from "../../ports.js";

export interface MemoryLedgerOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** A ledger in this process's memory, for tests and simulations. Closing it keeps it. */
export function createMemoryLedger({ clock = systemPorts.clock }: MemoryLedgerOptions = {}): Ledger {
  const entries = new Map<string, LedgerEntry>();
  const failures = new Map<string, number>();
  return {
    async record(given) {
      const known = entries.get(given.key);
      const late = given.kind === "forward" && entries.has(`${given.key}:compensate`);
      if (late && !known) return { first: false, late, entry: { ...given, at: clock.now(), calls: 0 } };
      const entry = known ? { ...known, calls: known.calls + 1 } : { ...given, at: clock.now(), calls: 1 };
      entries.set(given.key, entry);
      return { first: !known, late, entry };
    },
    async failOnPurpose(key, times) {
      const failed = failures.get(key) ?? 0;
      if (failed >= times) return false;
      failures.set(key, failed + 1);
      return true;
    },
    async list({ run, limit = 50, cursor }) {
      const after = cursor === undefined ? 0 : Number(/^\d{1,15}$/.exec(cursor)?.[0]);
      if (Number.isNaN(after)) {
        throw new RuntimeError("input-invalid", `expected a cursor of this list, got ${JSON.stringify(cursor)}`);
      }
      const found = [...entries.values()]
        .map((entry, index) => ({ entry, place: index + 1 }))
        .filter(({ entry, place }) => place > after && (run === undefined || entry.run === run));
      const page = found.slice(0, limit);
      const nextCursor = found.length > limit ? String(page.at(-1)?.place ?? after) : null;
      return { items: page.map(({ entry }) => entry), nextCursor };
    },
    async close() {},
  };
}
