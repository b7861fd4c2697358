import { expect, it } from "vitest";
import { createManualClock } from "../../testing/manual-clock.js";
import { TouchHints } from "./touch-hints.js";

it("says that a touch is due a tenth of the idle time after the last one, whatever the two clocks say", () => {
  const clock = createManualClock();
  const hints = new TouchHints(clock);
  const storeNow = 5_000_000;
  expect(hints.isDue("a")).toBe(true);
  hints.note("a", { touchedAt: storeNow - 40, idleMs: 1_000 }, storeNow);
  clock.advance(59);
  expect(hints.isDue("a")).toBe(false);
  clock.advance(1);
  expect(hints.isDue("a")).toBe(true);
});

it("forgets what others pushed out, never what is asked for meanwhile, and stays bounded", () => {
  const hints = new TouchHints(createManualClock());
  const session = { touchedAt: 0, idleMs: 1_000 };
  hints.note("asked for", session, 0);
  hints.note("left alone", session, 0);
  for (let n = 0; n < 200_000; n += 1) {
    hints.note(`other ${n}`, session, 0);
    if (n % 10_000 === 0) expect(hints.isDue("asked for"), String(n)).toBe(false);
  }
  expect(hints.isDue("left alone")).toBe(true);
  expect(hints.size).toBeLessThanOrEqual(131_072);
});
