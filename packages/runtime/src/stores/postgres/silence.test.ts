import { expect, it } from "vitest";
import { createManualClock } from "../../testing/manual-clock.js";
import { Silence } from "./silence.js";

const LEASE = 10_000;

function observed() {
  const clock = createManualClock();
  const silence = new Silence(clock);
  const renewEvery = (ms: number, times: number): void => {
    for (let n = 0; n < times; n++) {
      clock.advance(ms);
      silence.renewed(LEASE);
    }
  };
  silence.renewed(LEASE);
  return { clock, silence, renewEvery };
}

it("lets an instance that is answered bury others, from its first renewal on", () => {
  const { silence, renewEvery } = observed();
  expect(silence.mayBury()).toBe(true);
  renewEvery(1_000, 30);
  expect(silence.mayBury()).toBe(true);
});

it("takes a renewal that failed for no silence", () => {
  const { silence, renewEvery } = observed();
  renewEvery(2_000, 1);
  renewEvery(7_000, 1);
  expect(silence.mayBury()).toBe(true);
});

it("gives the others a lease to renew after a silence, and does not let it bury during one", () => {
  const { clock, silence, renewEvery } = observed();
  clock.advance(8_001);
  expect(silence.mayBury()).toBe(false);
  silence.renewed(LEASE);
  expect(silence.mayBury()).toBe(false);
  renewEvery(1_000, 9);
  clock.advance(999);
  expect(silence.mayBury()).toBe(false);
  clock.advance(1);
  expect(silence.mayBury()).toBe(true);
});
