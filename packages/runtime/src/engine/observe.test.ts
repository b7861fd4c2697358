import { expect, it } from "vitest";
import { resolveConfig } from "../config.js";
import { saga } from "../saga/builder.js";
import { foldRecord } from "./fold.js";
import { observe, type UnitEvent } from "./observe.js";
import { planOf } from "./plan.js";
import { newState } from "./state.js";

const noop = { run: () => null, compensate: () => null };
const definition = saga("s", { style: "choreography" }).step("a", noop).step("b", noop).build();
const retry = resolveConfig({}).recovery;
const plan = planOf(definition, {
  ...{ strategy: "compensate", retry, maxCrashes: 3, runTimeoutMs: 1_000, stepTimeoutMs: 1_000, service: () => ({}) },
});

/** What a run journals of events in this order, by the kinds of its records, and whether it is stuck after them. */
function heard(...events: readonly (Pick<UnitEvent, "unit" | "news"> & Partial<UnitEvent>)[]) {
  const state = newState(plan, 0);
  const kinds = events.map((event, n) => {
    const bare = { id: `event ${n}`, error: null, refused: false, output: null, changed: null };
    const records = observe(plan, state, { ...bare, ...event });
    for (const record of records) foldRecord(plan, state, record, 0);
    return records.map(({ kind }) => kind);
  });
  return { kinds, isStuck: state.stuck !== null };
}

const stuck = { unit: "a", news: "stuck" } as const;
const completed = { unit: "a", news: "completed" } as const;
const failed = { unit: "b", news: "failed" } as const;
const undoing = { ...stuck, undoing: true } as const;
const compensated = { unit: "a", news: "compensated" } as const;

it("a stage that is stuck sticks the run until it goes on", () => {
  expect(heard(stuck)).toEqual({ kinds: [["stuck"]], isStuck: true });
  expect(heard(stuck, completed)).toEqual({
    kinds: [["stuck"], ["resumed", "dispatched", "completed"]],
    isStuck: false,
  });
});

it("that a stage was stuck says nothing when it comes after the end to which it was led", () => {
  expect(heard(completed, stuck)).toEqual({ kinds: [["dispatched", "completed"], []], isStuck: false });
  expect(heard(stuck, completed, stuck).isStuck).toBe(false);
  expect(heard(failed, { ...failed, news: "stuck" }).isStuck).toBe(false);
});

it("a stage that is stuck in undoing what it completed sticks the run, though it had completed", () => {
  expect(heard(completed, undoing).isStuck).toBe(true);
  expect(heard(completed, failed, compensated, undoing).isStuck).toBe(false);
});
