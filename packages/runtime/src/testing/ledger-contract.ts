import { describe, expect, it } from "vitest";
import type { Ledger, NewLedgerEntry } from "../participants/ledger.js";

/** A ledger on data of its own, for one test. */
export interface LedgerUnderTest {
  readonly ledger: Ledger;
  /** Moves the ledger's clock forward by exactly `ms`. */
  advance(ms: number): void;
  /** A further ledger on the same data; missing when the data ends with the process. */
  reopen?(): Ledger;
  /** Closes every ledger and removes the data. */
  close(): Promise<void>;
}

/** The contract of `Ledger` as Vitest tests. */
export function ledgerContract(name: string, open: () => Promise<LedgerUnderTest>): void {
  const test = (title: string, body: (under: LedgerUnderTest) => Promise<void>): void =>
    it(title, async () => {
      const under = await open();
      try {
        await body(under);
      } finally {
        await under.close();
      }
    });

  describe(`${name}: ledger contract`, () => {
    test("has the effect once per key and counts every call", async ({ ledger, advance }) => {
      const first = await ledger.record(entry("r:pay"));
      expect(first).toMatchObject({ first: true, late: false, entry: { ...entry("r:pay"), calls: 1 } });
      advance(10);
      const again = await ledger.record({ ...entry("r:pay"), reference: "another" });
      expect(again).toEqual({ first: false, late: false, entry: { ...first.entry, calls: 2 } });
      const calls = await Promise.all(Array.from({ length: 20 }, () => ledger.record(entry("r:ship"))));
      expect(calls.filter((call) => call.first).length).toBe(1);
      const { items } = await ledger.list({});
      expect(items.map(({ key, calls }) => [key, calls])).toEqual([
        ["r:pay", 2],
        ["r:ship", 20],
      ]);
      expect((items[1]?.at ?? 0) - (items[0]?.at ?? 0)).toBe(10);
    });

    test("has no effect for a call that comes after its compensation", async ({ ledger }) => {
      const undo: NewLedgerEntry = { ...entry("r:pay:compensate"), kind: "compensate" };
      expect(await ledger.record(undo)).toMatchObject({ first: true, late: false });
      expect(await ledger.record(entry("r:pay"))).toMatchObject({ first: false, late: true, entry: { calls: 0 } });
      expect((await ledger.list({})).items.map(({ key }) => key)).toEqual(["r:pay:compensate"]);
      expect(await ledger.record(entry("r:pay2"))).toMatchObject({ first: true });
    });

    test("counts a repeated call, and answers it as late, when its compensation came in between", async ({
      ledger,
    }) => {
      await ledger.record(entry("r:pay"));
      await ledger.record({ ...entry("r:pay:compensate"), kind: "compensate" });
      expect(await ledger.record(entry("r:pay"))).toMatchObject({ first: false, late: true, entry: { calls: 2 } });
    });

    test("fails as many attempts of a key as asked for, and no more", async ({ ledger }) => {
      const attempts = [];
      for (let attempt = 1; attempt <= 4; attempt++) attempts.push(await ledger.failOnPurpose("r:pay", 2));
      expect(attempts).toEqual([true, true, false, false]);
      expect([await ledger.failOnPurpose("r:ship", 0), await ledger.failOnPurpose("r:ship", 1)]).toEqual([false, true]);
      expect((await ledger.list({})).items).toEqual([]);
    });

    test("pages in the order of the effects, by run or all", async ({ ledger }) => {
      for (const key of ["b:1", "a:1", "b:2", "a:2", "b:3"]) await ledger.record(entry(key));
      const keys: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.list({ limit: 2, ...(cursor !== undefined && { cursor }) });
        expect(page.items.length).toBeLessThanOrEqual(2);
        keys.push(...page.items.map(({ key }) => key));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(keys).toEqual(["b:1", "a:1", "b:2", "a:2", "b:3"]);
      const [one, two] = [await ledger.list({ run: "b", limit: 2 }), await ledger.list({ run: "b" })];
      expect([one.items.length, one.nextCursor, two.items.length, two.nextCursor]).toEqual([2, "3", 3, null]);
      expect(await ledger.list({ run: "nobody" })).toEqual({ items: [], nextCursor: null });
      for (const bad of ["", "x", "-1", "1e9", "9".repeat(400)]) {
        await expect(ledger.list({ cursor: bad }), bad).rejects.toMatchObject({ code: "input-invalid" });
      }
    });

    test("keeps effects, calls and failures when it is opened again", async ({ ledger, reopen }) => {
      await ledger.record(entry("r:pay"));
      await ledger.failOnPurpose("r:ship", 2);
      const before = await ledger.list({});
      await ledger.close();
      await ledger.close();
      for (const again of [ledger, ...(reopen ? [reopen()] : [])]) expect(await again.list({})).toEqual(before);
      const after = reopen?.() ?? ledger;
      expect(await after.record(entry("r:pay"))).toMatchObject({ first: false, entry: { calls: 2 } });
      expect([await after.failOnPurpose("r:ship", 2), await after.failOnPurpose("r:ship", 2)]).toEqual([true, false]);
    });
  });
}

function entry(key: string): NewLedgerEntry {
  const [run = "", stage = ""] = key.split(":");
  return { key, run, service: `${stage}_service`, stage, kind: "forward", reference: `ref ${key}` };
}
