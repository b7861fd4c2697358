import { expect, it } from "vitest";
import { Receipts } from "./receipts.js";

const DAY_MS = 86_400_000;

/** After a batch every `everyMs` for so long. */
function afterBatches(everyMs: number, forMs: number): Receipts {
  let receipts = new Receipts();
  for (let at = 0; at <= forMs; at += everyMs)
    receipts = receipts.with({ position: String(at), receipt: `r${at}`, at }, at - DAY_MS);
  return receipts;
}

it("are few, the newest among them, and go back over the whole window", () => {
  for (const everyMs of [50, 1_000, 60_000, 3_600_000]) {
    const kept = afterBatches(everyMs, everyMs * 50_000 > 3 * DAY_MS ? 3 * DAY_MS : everyMs * 50_000).newestFirst;
    const now = kept[0]?.at ?? 0;
    expect(kept.length).toBeLessThanOrEqual(24);
    expect(now % everyMs).toBe(0);
    // From anywhere in the past, the next older one is at most four times as far away, or some seconds.
    for (const [index, { at }] of kept.entries()) {
      const older = kept[index + 1];
      if (older !== undefined)
        expect(now - older.at).toBeLessThanOrEqual(Math.max(12_000, 5 * (now - at), 2 * everyMs));
    }
    expect(kept.at(-1)?.at).toBeGreaterThanOrEqual(now - DAY_MS);
  }
});

it("are read from their note, and are none where it is another's", () => {
  const receipts = afterBatches(60_000, 3_600_000);
  expect(Receipts.ofNote(receipts.note).newestFirst).toEqual(receipts.newestFirst);
  expect(receipts.note.length).toBeLessThan(2_000);
  for (const note of [null, "", "stream/7", "[]", '{"receipts":[[1,2,3],"x"]}'])
    expect(Receipts.ofNote(note).newest).toBeUndefined();
});

it("of later than a position are forgotten when it is gone back to", () => {
  const receipts = afterBatches(60_000, 600_000);
  const [, , third] = receipts.newestFirst;
  expect(receipts.upTo(third?.position ?? "").newest).toEqual(third);
});
