import { expect, test } from "vitest";
import { createUuidV7 } from "../../src/infrastructure/persistence/uuid-v7.js";

test("has the form of a UUIDv7 and begins with its millisecond", () => {
  const newId = createUuidV7({ now: () => 0x0190b2f65c8a });
  expect(newId()).toMatch(/^0190b2f6-5c8a-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("sorts by creation: within a millisecond, beyond its counter, and when the clock steps back", () => {
  let now = 1_000_000;
  const newId = createUuidV7({ now: () => now });
  const ids = Array.from({ length: 10_000 }, () => newId());
  now = 500_000;
  ids.push(newId(), newId());
  now = 2_000_000;
  ids.push(newId());
  expect(ids.filter((id, index) => id <= (ids[index - 1] ?? "")).length).toBe(0);
});
