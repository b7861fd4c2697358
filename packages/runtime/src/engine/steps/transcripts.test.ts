import { describe, expect, it } from "vitest";
import { saga } from "../../saga/builder.js";
import type { SagaDefinition } from "../../saga/definition.js";
import { type Happening, Transcript } from "../transcript.test.support.js";

/** Each kind of step in a run that succeeds, fails, is canceled and crashes: as ../transcripts.test.ts. */
const action = { run: () => null, compensate: () => null };
const napping = saga("napping").step("a", action).sleep("nap", { for: "10s" }).step("b", action).build();
const untilThen = saga("until-then").sleep("nap", { for: "${ input.until }" }).build();
const approval = saga("approval").step("a", action).waitFor("approved", { timeout: "10s" }).step("b", action).build();
const business = saga("business")
  .step("a", action)
  .waitFor("approved", { timeout: "10s", onTimeout: "refuse" })
  .build();
const escalation = saga("escalation")
  .waitFor("approved", { timeout: "10s", onTimeout: "skip" })
  .step("escalate", { ...action, when: ({ outputs }) => outputs.approved === null })
  .waitFor("approved-late", { signal: "approved" })
  .step("b", action)
  .build();
const both = saga("both")
  .parallel((group) => group.waitFor("first", { signal: "go" }).waitFor("second", { signal: "go" }))
  .build();
const beside = saga("beside")
  .step("a", action)
  .parallel((group) => group.step("b", action).sleep("nap", { for: "40s" }).waitFor("approved"))
  .build();
const conditional = saga("conditional")
  .step("a", action)
  .step("gift", { ...action, when: () => true })
  .step("b", action)
  .build();
const family = saga("family").step("a", action).child("child", { saga: "other" }).step("b", action).build();
const twins = saga("twins")
  .step("a", action)
  .parallel((group) => group.step("b", action).child("child", { saga: "other" }))
  .build();
const list = saga("list")
  .step("a", action)
  .map("charge", { over: () => ["x", "y", "z"], concurrency: 2, ...action })
  .build();
const mappedAndMore = saga("mapped-and-more")
  .map("charge", { over: () => ["x", "y", "z"], concurrency: 2, ...action })
  .step("b", action)
  .build();
const listed: Happening = ["gives", "charge", { kind: "values", value: ["x", "y", "z"] }];
const mapped = saga("mapped").step("a", { service: "s", endpoint: "/a", input: "input.order" }).build();

const scenarios: Record<string, [SagaDefinition, Happening[]]> = {
  "a sleep ends at its time and not before": [
    napping,
    [
      ["ok", "a"],
      ["after", 9_999],
      ["after", 1],
      ["ok", "b"],
    ],
  ],
  "a crash neither shortens nor forgets a sleep": [
    napping,
    [["ok", "a"], ["after", 4_000], ["crash"], ["after", 6_000]],
  ],
  "a sleep is canceled at once": [
    napping,
    [
      ["ok", "a"],
      ["verb", "cancel"],
      ["ok", "a", "compensate"],
    ],
  ],
  "the run's time is up while it sleeps": [
    saga("long").step("a", action).sleep("nap", { for: "2h" }).build(),
    [
      ["ok", "a"],
      ["after", 60_000],
      ["ok", "a", "compensate"],
    ],
  ],
  "a sleep until a time that an expression gives": [
    untilThen,
    [["gives", "nap", { kind: "values", value: "1970-01-01T00:00:30Z" }], ["crash"], ["after", 29_999], ["after", 1]],
  ],
  "an expression that gives no time": [untilThen, [["gives", "nap", { kind: "values", value: "tomorrow" }]]],
  "a signal ends a wait": [
    approval,
    [
      ["ok", "a"],
      ["signal", "approved", "by bob"],
      ["ok", "b"],
    ],
  ],
  "a signal that comes early is kept, also over a crash": [
    approval,
    [["signal", "approved", "early"], ["signal", "other"], ["crash"], ["ok", "a"], ["ok", "b"]],
  ],
  "no signal in time fails the step": [
    approval,
    [
      ["ok", "a"],
      ["after", 10_000],
      ["ok", "a", "compensate"],
    ],
  ],
  "no signal in time can be a refusal": [
    business,
    [
      ["ok", "a"],
      ["after", 10_000],
      ["ok", "a", "compensate"],
    ],
  ],
  "no signal in time, and the run goes on without it": [
    escalation,
    [
      ["after", 10_000],
      ["gives", "escalate", { kind: "values" }],
      ["crash"],
      ["ok", "escalate"],
      ["signal", "approved", "by the boss"],
      ["refused", "b"],
      ["ok", "escalate", "compensate"],
    ],
  ],
  "signals of one name are taken in their order, each once": [
    both,
    [
      ["signal", "go", "one"],
      ["signal", "go", "two"],
    ],
  ],
  "a sibling's failure ends sleeps and waits at once": [
    beside,
    [
      ["ok", "a"],
      ["refused", "b"],
      ["signal", "approved"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a step whose condition says no is skipped and never undone": [
    conditional,
    [
      ["ok", "a"],
      ["gives", "gift", { kind: "skip" }],
      ["refused", "b"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a step whose condition says yes": [
    conditional,
    [
      ["ok", "a"],
      ["gives", "gift", { kind: "values" }],
      ["ok", "gift"],
      ["ok", "b"],
    ],
  ],
  "a condition is evaluated once": [
    conditional,
    [
      ["ok", "a"],
      ["gives", "gift", { kind: "values" }],
      ["failed", "gift"],
      ["after", 1_000],
      ["crash"],
      ["ok", "gift"],
    ],
  ],
  "an expression that throws fails the step for good": [
    conditional,
    [
      ["ok", "a"],
      ["gives", "gift", { kind: "failed", error: { code: "expression-failed", message: "no" } }],
      ["ok", "a", "compensate"],
    ],
  ],
  "a child is started, waited for and joined": [
    family,
    [["ok", "a"], ["starts", "child", "c1"], ["crash"], ["ended", "c1", "completed"], ["ok", "b"]],
  ],
  "a child that ends before its start is known": [
    family,
    [["ok", "a"], ["ended", "c1", "completed"], ["crash"], ["starts", "child", "c1"]],
  ],
  "a child that fails is a refusal": [
    family,
    [
      ["ok", "a"],
      ["starts", "child", "c1"],
      ["ended", "c1", "compensated"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a completed child is undone by a run of its own": [
    family,
    [
      ["ok", "a"],
      ["starts", "child", "c1"],
      ["ended", "c1", "completed"],
      ["refused", "b"],
      ["starts", "child", "u1", "compensate", "undoes"],
      ["crash"],
      ["ended", "u1", "compensated"],
      ["ok", "a", "compensate"],
    ],
  ],
  "the undoing of a child is given up, and skipped": [
    family,
    [
      ["ok", "a"],
      ["starts", "child", "c1"],
      ["ended", "c1", "completed"],
      ["refused", "b"],
      ["starts", "child", "u1", "compensate", "undoes"],
      ["ended", "u1", "failed"],
      ["verb", "skip"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a canceled run waits for the end of its child": [
    family,
    [
      ["ok", "a"],
      ["starts", "child", "c1"],
      ["verb", "cancel"],
      ["starts", "child", "c1", "compensate"],
      ["ended", "c1", "cancelled"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a child that completes though it was canceled is undone": [
    twins,
    [
      ["ok", "a"],
      ["starts", "child", "c1"],
      ["refused", "b"],
      ["starts", "child", "c1", "compensate"],
      ["ended", "c1", "completed"],
      ["starts", "child", "u1", "compensate", "undoes"],
      ["ended", "u1", "compensated"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a crash while a child is started": [
    twins,
    [["ok", "a"], ["refused", "b"], ["crash"], ["starts", "child", "c1", "compensate"], ["ended", "c1", "cancelled"]],
  ],
  "items of a list, two at a time": [
    list,
    [
      ["ok", "a"],
      listed,
      ["ok", "items[1]/charge"],
      ["failed", "items[0]/charge"],
      ["ok", "items[2]/charge"],
      ["crash"],
      ["after", 1_000],
      ["ok", "items[0]/charge"],
    ],
  ],
  "an item that fails ends the map": [
    list,
    [
      ["ok", "a"],
      listed,
      ["ok", "items[0]/charge"],
      ["refused", "items[1]/charge"],
      ["lost", "items[2]/charge"],
      ["ok", "items[0]/charge", "compensate"],
      ["crash"],
      ["ok", "items[2]/charge", "compensate"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a map that is canceled, and a compensation of it that is skipped": [
    list,
    [
      ["ok", "a"],
      listed,
      ["ok", "items[0]/charge"],
      ["verb", "cancel"],
      ["ok", "items[1]/charge"],
      ["ok", "items[2]/charge"],
      ["refused", "items[2]/charge", "compensate"],
      ["ok", "items[1]/charge", "compensate"],
      ["ok", "items[0]/charge", "compensate"],
      ["verb", "skip"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a list that was undone in part goes on, and what was undone has a new round": [
    mappedAndMore,
    [
      ["gives", "charge", { kind: "values", value: ["x", "y", "z"] }],
      ["ok", "items[0]/charge"],
      ["ok", "items[1]/charge"],
      ["ok", "items[2]/charge"],
      ["refused", "b"],
      ["ok", "items[2]/charge", "compensate"],
      ["refused", "items[1]/charge", "compensate"],
      ["ok", "items[0]/charge", "compensate"],
      ["verb", "retry"],
      ["crash"],
      ["ok", "items[0]/charge"],
      ["ok", "items[2]/charge"],
      ["ok", "b"],
    ],
  ],
  "a retry from a map computes its list anew": [
    mappedAndMore,
    [
      ["gives", "charge", { kind: "values", value: ["x", "y"] }],
      ["ok", "items[0]/charge"],
      ["ok", "items[1]/charge"],
      ["verb", "pause"],
      ["verb", "retry", "charge"],
      ["ok", "b"],
      ["ok", "b", "compensate"],
      ["ok", "items[1]/charge", "compensate"],
      ["ok", "items[0]/charge", "compensate"],
      ["gives", "charge", { kind: "values", value: ["y", "z", "a"] }],
      ["crash"],
      ["ok", "items[0]/charge"],
      ["ok", "items[1]/charge"],
      ["ok", "items[2]/charge"],
      ["ok", "b"],
    ],
  ],
  "a map over no list": [
    list,
    [
      ["ok", "a"],
      ["gives", "charge", { kind: "values", value: 3 }],
    ],
  ],
  "a retry undoes a child and starts another one": [
    family,
    [
      ["ok", "a"],
      ["starts", "child", "c1"],
      ["ended", "c1", "completed"],
      ["verb", "pause"],
      ["verb", "retry", "child"],
      ["ok", "b"],
      ["ok", "b", "compensate"],
      ["starts", "child", "u1", "compensate", "undoes"],
      ["ended", "u1", "compensated"],
      ["starts", "child", "c2"],
      ["crash"],
      ["ended", "c2", "completed"],
      ["ok", "b"],
    ],
  ],
  "a run does not go forward again with a child that was told to stop": [
    twins,
    [
      ["ok", "a"],
      ["starts", "child", "c1"],
      ["verb", "compensate"],
      ["ok", "b"],
      ["starts", "child", "c1", "compensate"],
      ["ok", "b", "compensate"],
      ["verb", "pause"],
      ["verb", "retry"],
      ["verb", "resume"],
      ["ended", "c1", "cancelled"],
      ["verb", "pause"],
      ["verb", "retry"],
    ],
  ],
  "a child past the pivot is not skipped while it goes on": [
    saga("after").step("a", action).pivot().child("child", { saga: "other" }).build(),
    [
      ["ok", "a"],
      ["starts", "child", "c1"],
      ["after", 60_000],
      ["verb", "skip"],
      ["ended", "c1", "cancelled"],
      ["verb", "resume"],
      ["verb", "skip"],
    ],
  ],
  "a mapped input stays the same in every attempt": [
    mapped,
    [
      ["gives", "a", { kind: "values", input: { sku: "x" } }],
      ["failed", "a"],
      ["after", 1_000],
      ["ok", "a"],
    ],
  ],
};

describe("transcripts of the step kinds", () => {
  it.each(Object.entries(scenarios))("%s", async (title, [definition, happenings]) => {
    const text = new Transcript(definition, "compensate").play(happenings);
    await expect(text).toMatchFileSnapshot(`transcripts/${title.replaceAll(/\W+/g, "-")}.txt`);
  });
});
