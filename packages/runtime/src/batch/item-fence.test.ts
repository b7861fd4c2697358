import { expect, it } from "vitest";
import { itemFence } from "./item-fence.js";

it("grows with each owner of a chunk, and for an item that comes again in a later one", () => {
  const fences = [
    { n: 3, fence: 1 },
    { n: 3, fence: 2 },
    { n: 3, fence: 999 },
    { n: 4, fence: 1 },
  ].map(itemFence);
  expect(fences).toEqual([...new Set(fences)].sort((a, b) => a - b));
});

it("never reaches that of a later chunk, however many own it", () => {
  expect(itemFence({ n: 3, fence: 5_000 })).toBeLessThan(itemFence({ n: 4, fence: 1 }));
});
