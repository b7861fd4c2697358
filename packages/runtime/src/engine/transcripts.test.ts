import { describe, expect, it } from "vitest";
import { saga } from "../saga/builder.js";
import type { SagaDefinition } from "../saga/definition.js";
import { mustBeAlone, needsIsolation } from "./crashes.js";
import { decide } from "./decide.js";
import { fold, foldRecord } from "./fold.js";
import { recordOutcome } from "./outcome.js";
import { planOf, type RecoveryStrategy } from "./plan.js";
import type { Direction, JournalRecord } from "./records.js";
import type { RunState } from "./state.js";
import type { StepOutcome } from "./step-outcome.js";
import { applyVerb } from "./verbs.js";

/**
 * Scenarios of the core as text, one file each in transcripts/: what happened (>), what was recorded, what is awaited. A
 * change of behavior shows as a diff there; `vitest -u` writes it, and only somebody who understands it commits it.
 */
type Happening =
  | readonly ["ok" | "refused" | "failed" | "bad" | "lost", string, Direction?]
  | readonly ["crash"]
  | readonly ["after", number]
  | readonly ["verb", string, string?];

const OUTCOMES: Record<string, StepOutcome> = {
  ok: { kind: "completed", output: "done" },
  refused: { kind: "refused", error: { code: "refused", message: "no" } },
  failed: { kind: "failed", error: { code: "unavailable", message: "down" }, mayHaveRun: false, retry: true },
  bad: {
    kind: "failed",
    error: { code: "bad-request", message: "never", status: 422 },
    ...{ mayHaveRun: false, retry: true },
  },
  lost: { kind: "failed", error: { code: "timeout", message: "no answer" }, mayHaveRun: true, retry: true },
};

class Transcript {
  readonly #plan;
  readonly #lines: string[] = [];
  readonly #state: RunState;
  #now = 0;

  constructor(definition: SagaDefinition, strategy: RecoveryStrategy) {
    const retry = {
      maxAttempts: 2,
      backoff: "fixed",
      initialDelayMs: 1_000,
      maxDelayMs: 1_000,
      jitter: "none",
      nonRetryable: ["bad-*"],
    } as const;
    this.#plan = planOf(definition, {
      strategy,
      retry,
      maxCrashes: 2,
      runTimeoutMs: 60_000,
      stepTimeoutMs: 1_000,
      service: () => ({}),
    });
    this.#state = fold(this.#plan, 0, []);
    if (definition.startTimeoutMs !== undefined) this.#now = definition.startTimeoutMs + 1;
    this.#decide();
  }

  play(happenings: readonly Happening[]): string {
    for (const happening of happenings) {
      this.#lines.push(`> ${happening.join(" ")}`);
      this.#happen(happening);
      this.#decide();
    }
    return `${this.#lines.join("\n")}\n`;
  }

  #happen(happening: Happening): void {
    if (happening[0] === "after") this.#now += happening[1];
    else if (happening[0] === "crash") this.#record({ kind: "claimed", worker: "next", crashed: true });
    else if (happening[0] === "verb") {
      const [, name, step] = happening;
      const verb = { name, actor: "ann", reason: "because", request: "request", ...(step !== undefined && { step }) };
      for (const record of applyVerb(this.#plan, this.#state, verb)) this.#record(record);
    } else {
      const [outcome, name, direction = "forward"] = happening;
      const step = this.#state.steps.get(name);
      const attempt = {
        step: name,
        direction,
        attempt: (direction === "forward" ? step?.forward : step?.undo)?.attempt ?? 0,
      };
      this.#record(recordOutcome(this.#plan, this.#state, attempt, OUTCOMES[outcome] as StepOutcome, () => 0.5));
    }
  }

  #record(record: JournalRecord): void {
    foldRecord(this.#plan, this.#state, record, this.#now);
    this.#show(record);
  }

  #decide(): void {
    const isSuspect = needsIsolation(this.#state.crashes);
    const { records, wakeAt } = decide(this.#plan, this.#state, this.#now);
    if (isSuspect && records.some(({ kind }) => kind === "dispatched"))
      this.#record({ kind: "isolated", alone: mustBeAlone(this.#state.crashes, this.#plan.maxCrashes) });
    for (const record of records) this.#show(record);
    if (this.#state.end === null && this.#state.running === 0)
      this.#lines.push(`  waits until ${wakeAt ?? "somebody acts"}`);
  }

  #show({ kind, ...facts }: JournalRecord): void {
    const text = Object.entries(facts).map(
      ([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`,
    );
    this.#lines.push(`  ${kind} ${text.join(" ")}`.trimEnd());
  }
}

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
