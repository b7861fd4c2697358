import { expect, it } from "vitest";
import { resolveConfig } from "../config.js";
import { planOf } from "../engine/plan.js";
import { newState } from "../engine/state.js";
import { saga } from "../saga/builder.js";
import { Observation } from "./observation.js";

const definition = saga("s", { style: "choreography" })
  .step("a", { run: () => null })
  .step("b", { run: () => null })
  .build();
const retry = resolveConfig({}).recovery;
const plan = planOf(definition, {
  ...{ strategy: "compensate", retry, maxCrashes: 3, runTimeoutMs: 1_000, stepTimeoutMs: 1_000, service: () => ({}) },
});

it("what was told in passing waits for more, unless others wait for it or nothing more can come", () => {
  const state = newState(plan, 0);
  expect(Observation.waitMs(state, 1, false)).toBeGreaterThan(0);
  expect(Observation.waitMs(state, 1, true)).toBe(0);
  expect(Observation.waitMs(state, 2, false)).toBe(0);
});

it("holds a choreographed run for a while after it was heard of, unless room is short", () => {
  let now = 1_000;
  let isCrowded = false;
  const observation = new Observation({ storeNow: () => now, isCrowded: () => isCrowded }, true);
  const until = observation.heldUntil(now) ?? 0;
  expect(until).toBeGreaterThan(now);
  expect(observation.heldUntil(until)).toBeNull();
  now = until;
  observation.heard();
  expect(observation.heldUntil(now)).toBeGreaterThan(now);
  isCrowded = true;
  expect(observation.heldUntil(now)).toBeNull();
});
