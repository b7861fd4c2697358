import { describe, expect, it } from "vitest";
import { createManualClock } from "../testing/manual-clock.js";
import { FairShare } from "./fair-share.js";

describe("an instance's share of a batch", () => {
  it("is all of it when there is no other", () => {
    const share = new FairShare(16, createManualClock());
    share.look(1, 0);
    expect(share.allowed).toBe(16);
  });

  it("is its part when there are others, and more only when they leave it for long enough", () => {
    const clock = createManualClock();
    const share = new FairShare(16, clock);
    share.look(3, 0);
    expect(share.allowed).toBe(6);
    clock.advance(500);
    share.look(3, 4);
    expect(share.allowed).toBe(6);
    clock.advance(500);
    share.look(3, 4);
    expect(share.allowed).toBe(10);
  });

  it("is given back now and then, for others to take", () => {
    const clock = createManualClock();
    const share = new FairShare(16, clock);
    share.look(2, 0);
    clock.advance(1_000);
    share.look(2, 8);
    expect(share.allowed).toBe(16);
    clock.advance(4_500);
    share.look(2, 0);
    expect(share.allowed).toBe(8);
  });
});
