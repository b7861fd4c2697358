import { expect, it } from "vitest";
import { resolveConfig } from "../config.js";
import { isSuspect } from "../engine/crashes.js";
import { foldRecord } from "../engine/fold.js";
import { newState } from "../engine/state.js";
import { saga } from "../saga/builder.js";
import { Registry } from "../saga/registry.js";
import { decideApart } from "./decide-apart.js";
import { Isolation } from "./isolation.js";

it("keeps the place of a run that is found innocent: a crash before the row that says so is durable would count", () => {
  const definition = saga("s")
    .step("a", { run: () => 1 })
    .step("b", { run: () => 1 })
    .build();
  const plan = new Registry([definition], {}, resolveConfig({ recovery: { maxCrashes: 1 } })).find(
    "s",
    definition.version,
  );
  if (plan === undefined) expect.fail("expected a plan");
  const run = { run: { id: "one" }, isBusy: false, wake: () => {} };
  const isolation = new Isolation(
    () => [],
    () => false,
  );
  const state = newState(plan, 0);
  const decided = () => decideApart(plan, state, 1, run, isolation).records.map(({ kind }) => kind);
  expect(decided()).toEqual(["dispatched"]);
  for (const worker of ["second", "third"]) {
    foldRecord(plan, state, { kind: "claimed", worker, crashed: true }, 1);
    if (worker === "second") decided();
  }
  expect([isSuspect(state.crashes), decided()]).toEqual([true, ["isolated", "dispatched"]]);
  foldRecord(plan, state, { kind: "completed", step: "a", attempt: 3, output: null }, 2);
  expect([isSuspect(state.crashes), decided(), isolation.isClosed]).toEqual([false, ["dispatched"], true]);
  isolation.leave(run);
  expect(isolation.isClosed).toBe(false);
});
