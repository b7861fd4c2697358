import { expect, it } from "vitest";
import { inPieces } from "./in-pieces.js";

const MiB = 1_048_576;

it("keeps a batch of small elements whole", () => {
  const batch = Array.from({ length: 500 }, (_, n) => n);
  expect(inPieces(batch, () => 1_000)).toEqual([batch]);
  expect(inPieces([], () => 1)).toEqual([]);
});

it("sends large elements a few at a time, in order, and the largest alone", () => {
  const sizes = [1, 1, 1, 1, 1, 3, 9, 2, 2];
  expect(inPieces(sizes, (size) => size * MiB)).toEqual([[1, 1, 1, 1], [1, 3], [9], [2, 2]]);
});
