import { expect, it } from "vitest";
import { coveringReceipt, writeReceipt } from "./receipt.js";

const [OLD, NEW] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"];

it("of two messages the later one stands for both, in whatever order they were answered", () => {
  const [ninth, tenth] = [writeReceipt(OLD, 9, "a"), writeReceipt(OLD, 10, "b")];
  expect([coveringReceipt(ninth, tenth), coveringReceipt(tenth, ninth)]).toEqual([tenth, tenth]);
});

it("stands for a message of a stream that is gone, which then is not held", () => {
  const [gone, present] = [writeReceipt(OLD, 9, "a"), writeReceipt(NEW, 10, "b")];
  expect([coveringReceipt(gone, present), coveringReceipt(present, gone)]).toEqual([gone, gone]);
});
