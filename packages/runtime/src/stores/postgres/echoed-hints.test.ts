import { expect, it } from "vitest";
import { createManualClock } from "../../testing/manual-clock.js";
import { EchoedHints } from "./echoed-hints.js";

function hearing() {
  const clock = createManualClock();
  const told: (readonly number[])[] = [];
  return { clock, told, hints: new EchoedHints(clock, [0, 20, 200], (shards) => told.push(shards)) };
}

it("tells of a hint at once and twice more, as it was told to", () => {
  const { clock, told, hints } = hearing();
  hints.hear([3]);
  expect(told).toEqual([[3]]);
  while (clock.advanceToNext());
  expect(told).toEqual([[3], [3], [3]]);
});

it("tells of many that come close together in few calls more", () => {
  const { clock, told, hints } = hearing();
  for (let n = 0; n < 100; n++) hints.hear([n % 16]);
  expect(told.length).toBe(100);
  while (clock.advanceToNext());
  expect(told.slice(100).map((shards) => shards.length)).toEqual([16, 16]);
});

it("tells nothing once it is stopped", () => {
  const { clock, told, hints } = hearing();
  hints.hear([1]);
  hints.stop();
  expect(clock.pending).toBe(0);
  expect(told).toEqual([[1]]);
});
