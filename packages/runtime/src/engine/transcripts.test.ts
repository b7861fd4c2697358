import { describe, expect, it } from "vitest";
import { saga } from "../saga/builder.js";
import type { SagaDefinition } from "../saga/definition.js";
import type { RecoveryStrategy } from "./plan.js";
import { type Happening, Transcript } from "./transcript.test.support.js";

const action = { run: () => null, compensate: () => null };
const three = saga("three").step("a", action).step("b", action).step("c", action).build();
const group = saga("group")
  .step("a", action)
  .parallel((each) => each.step("b", action).step("c", action))
  .build();
const pivot = saga("pivot").step("a", action).pivot().step("b", action).build();

/** Nobody can begin it in so short a time. */
const late = saga("late", { startTimeout: "1s" }).step("a", action).build();

const scenarios: Record<string, [SagaDefinition, RecoveryStrategy, Happening[]]> = {
  completes: [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["ok", "b"],
      ["ok", "c"],
    ],
  ],
  "retries, then unwinds in reverse": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["ok", "b"],
      ["failed", "c"],
      ["after", 1_000],
      ["failed", "c"],
      ["ok", "b", "compensate"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a lost reply and then a refusal is compensated as may-have-run": [
    three,
    "compensate",
    [
      ["lost", "a"],
      ["after", 1_000],
      ["refused", "a"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a sibling settles before the unwind": [
    group,
    "compensate",
    [
      ["ok", "a"],
      ["refused", "b"],
      ["failed", "c"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a crash redoes what was under way": [group, "compensate", [["ok", "a"], ["ok", "b"], ["crash"], ["ok", "c"]]],
  "a crash while undoing": [three, "compensate", [["ok", "a"], ["refused", "b"], ["crash"], ["ok", "a", "compensate"]]],
  "stuck, resumed, stuck, skipped": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["refused", "b"],
      ["refused", "a", "compensate"],
      ["verb", "cancel"],
      ["verb", "resume"],
      ["refused", "a", "compensate"],
      ["verb", "skip"],
    ],
  ],
  "past the pivot it only goes forward": [
    pivot,
    "compensate",
    [
      ["ok", "a"],
      ["verb", "cancel"],
      ["failed", "b"],
      ["after", 1_000],
      ["failed", "b"],
      ["after", 1_000],
      ["failed", "b"],
      ["after", 60_000],
      ["verb", "resume"],
      ["verb", "abandon"],
    ],
  ],
  "canceled while an attempt is under way": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["verb", "cancel"],
      ["ok", "b"],
      ["ok", "b", "compensate"],
      ["ok", "a", "compensate"],
    ],
  ],
  "the run's time is up": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["after", 60_000],
      ["lost", "b"],
      ["ok", "b", "compensate"],
      ["ok", "a", "compensate"],
    ],
  ],
  "strategy retry fails at a refusal": [
    three,
    "retry",
    [
      ["ok", "a"],
      ["failed", "b"],
      ["after", 1_000],
      ["failed", "b"],
      ["after", 1_000],
      ["refused", "b"],
    ],
  ],
  "strategy manual parks": [
    three,
    "manual",
    [
      ["ok", "a"],
      ["refused", "b"],
      ["verb", "resume"],
      ["ok", "b"],
      ["ok", "c"],
    ],
  ],
  "recovery off: one attempt": [three, "none", [["ok", "a"], ["crash"]]],
  "paused while an attempt is under way, resumed": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["verb", "pause"],
      ["verb", "pause"],
      ["ok", "b"],
      ["after", 90_000],
      ["verb", "resume"],
      ["ok", "c"],
    ],
  ],
  "paused while undoing, abandoned": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["ok", "b"],
      ["refused", "c"],
      ["verb", "pause"],
      ["verb", "abandon"],
      ["ok", "b", "compensate"],
      ["verb", "abandon"],
    ],
  ],
  "compensated at an operator's wish": [
    group,
    "manual",
    [
      ["ok", "a"],
      ["verb", "compensate"],
      ["ok", "b"],
      ["lost", "c"],
      ["verb", "compensate"],
      ["ok", "b", "compensate"],
      ["ok", "c", "compensate"],
      ["ok", "a", "compensate"],
    ],
  ],
  "retried while stuck going forward": [
    three,
    "manual",
    [
      ["ok", "a"],
      ["verb", "retry"],
      ["refused", "b"],
      ["verb", "retry", "c"],
      ["verb", "retry"],
      ["ok", "b"],
      ["ok", "c"],
    ],
  ],
  "forward again from where the undoing got stuck": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["ok", "b"],
      ["refused", "c"],
      ["ok", "b", "compensate"],
      ["refused", "a", "compensate"],
      ["verb", "retry", "c"],
      ["verb", "retry"],
      ["ok", "b"],
      ["refused", "c"],
      ["ok", "b", "compensate"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a retry does not guess whether something is undone": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["refused", "b"],
      ["lost", "a", "compensate"],
      ["after", 1_000],
      ["lost", "a", "compensate"],
      ["verb", "retry"],
      ["verb", "skip"],
    ],
  ],
  "retried from a step: undone down to it, then in a new round": [
    group,
    "manual",
    [
      ["ok", "a"],
      ["ok", "b"],
      ["refused", "c"],
      ["verb", "retry", "a"],
      ["ok", "b", "compensate"],
      ["crash"],
      ["ok", "a", "compensate"],
      ["ok", "a"],
      ["ok", "b"],
      ["ok", "c"],
    ],
  ],
  "canceled while a retry undoes": [
    three,
    "manual",
    [
      ["ok", "a"],
      ["ok", "b"],
      ["refused", "c"],
      ["verb", "retry", "b"],
      ["verb", "cancel"],
      ["ok", "b", "compensate"],
      ["ok", "a", "compensate"],
    ],
  ],
  "a failed step past the pivot is skipped": [
    pivot,
    "compensate",
    [
      ["verb", "skip"],
      ["ok", "a"],
      ["refused", "b"],
      ["verb", "compensate"],
      ["verb", "retry", "a"],
      ["verb", "skip"],
    ],
  ],
  "what must not be retried is not": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["bad", "b"],
      ["bad", "a", "compensate"],
    ],
  ],
  "the process dies of it": [
    three,
    "compensate",
    [
      ["ok", "a"],
      ["crash"],
      ["crash"],
      ["crash"],
      ["crash"],
      ["verb", "resume"],
      ["failed", "b"],
      ["crash"],
      ["after", 1_000],
      ["ok", "b"],
    ],
  ],
  "not begun in time": [late, "compensate", []],
};

describe("transcripts of the core", () => {
  it.each(Object.entries(scenarios))("%s", async (title, [definition, strategy, happenings]) => {
    const text = new Transcript(definition, strategy).play(happenings);
    await expect(text).toMatchFileSnapshot(`transcripts/${title.replaceAll(/\W+/g, "-")}.txt`);
  });
});
