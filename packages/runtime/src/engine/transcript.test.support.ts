import type { Json } from "../json.js";
import type { SagaDefinition } from "../saga/definition.js";
import { mustBeAlone, needsIsolation } from "./crashes.js";
import { decide } from "./decide.js";
import { type Evaluation, recordEvaluation } from "./evaluation.js";
import { fold, foldRecord } from "./fold.js";
import { applyMessage } from "./messages.js";
import { recordOutcome } from "./outcome.js";
import { planOf, type RecoveryStrategy } from "./plan.js";
import type { Direction, EndStatus, JournalRecord } from "./records.js";
import type { RunState } from "./state.js";
import type { StepOutcome, Suspension } from "./step-outcome.js";

/**
 * Scenarios of the core as text, one file each in transcripts/: what happened (>), what was recorded, what is awaited. A
 * change of behavior shows as a diff there; `vitest -u` writes it, and only somebody who understands it commits it.
 */
export type Happening =
  | readonly ["ok" | "refused" | "failed" | "bad" | "lost" | "diverged", string, Direction?]
  | readonly ["crash"]
  | readonly ["after", number]
  | readonly ["verb", string, string?]
  | readonly ["signal", string, string?]
  | readonly ["gives", string, Evaluation]
  /** An attempt started, or found, the run named; `undoes`: the run that undoes the step's child. */
  | readonly ["starts", string, string, Direction?, "undoes"?]
  | readonly ["ended", string, EndStatus]
  /** A function says something on its way. */
  | readonly ["says", JournalRecord]
  /** It waits until a time, or for the first of these waits. */
  | readonly ["parks", string, number | null, ...string[]];

const OUTCOMES: Record<string, StepOutcome> = {
  ok: { kind: "completed", output: "done" },
  refused: { kind: "refused", error: { code: "refused", message: "no" } },
  failed: { kind: "failed", error: { code: "unavailable", message: "down" }, mayHaveRun: false, retry: true },
  diverged: {
    kind: "failed",
    error: { code: "task-diverged", message: "another function" },
    ...{ mayHaveRun: true, retry: false },
  },
  bad: {
    kind: "failed",
    error: { code: "bad-request", message: "never", status: 422 },
    ...{ mayHaveRun: false, retry: true },
  },
  lost: { kind: "failed", error: { code: "timeout", message: "no answer" }, mayHaveRun: true, retry: true },
};

export class Transcript {
  readonly #plan;
  readonly #lines: string[] = [];
  readonly #state: RunState;
  #now = 0;
  #messages = 0;

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
    // Too late, where there is such a time.
    if (this.#plan.startTimeoutMs !== null) this.#now = this.#plan.startTimeoutMs + 1;
    this.#decide();
  }

  play(happenings: readonly Happening[]): string {
    for (const happening of happenings) {
      this.#lines.push(
        `> ${happening.map((part) => (typeof part === "object" ? JSON.stringify(part) : part)).join(" ")}`,
      );
      this.#happen(happening);
      this.#decide();
    }
    return `${this.#lines.join("\n")}\n`;
  }

  #happen(happening: Happening): void {
    if (happening[0] === "after") this.#now += happening[1];
    else if (happening[0] === "crash") this.#record({ kind: "claimed", worker: "next", crashed: true });
    else if (happening[0] === "verb") this.#verb(happening[1], happening[2]);
    else if (happening[0] === "signal") this.#message("signal", happening[1], happening[2] ?? null);
    else if (happening[0] === "ended") {
      const [, run, status] = happening;
      const error = status === "completed" ? null : { code: "refused", message: "no" };
      this.#message("child", "child", { run, status, output: status === "completed" ? "done" : null, error });
    } else if (happening[0] === "starts") {
      const [, name, child, direction = "forward", undoes] = happening;
      this.#outcome(name, direction, { kind: "suspended", child, undoes: undoes !== undefined });
    } else if (happening[0] === "says") this.#record(happening[1]);
    else if (happening[0] === "parks") {
      const [, name, until, ...awaits] = happening;
      this.#outcome(name, "forward", { kind: "suspended", until, awaits });
    } else if (happening[0] === "gives") {
      const [, step, evaluation] = happening;
      this.#record(recordEvaluation(this.#plan, this.#state, step, evaluation));
    } else {
      const [outcome, name, direction = "forward"] = happening;
      this.#outcome(name, direction, OUTCOMES[outcome] as StepOutcome);
    }
  }

  #outcome(name: string, direction: Direction, outcome: StepOutcome | Suspension): void {
    const step = this.#state.steps.get(name);
    const act = direction === "forward" ? step?.forward : step?.undo;
    const attempt = { step: name, direction, attempt: act?.attempt ?? 0 };
    this.#record(recordOutcome(this.#plan, this.#state, attempt, outcome, () => 0.5));
  }

  #verb(name: string, step: string | undefined): void {
    this.#message("verb", name, { reason: "because", ...(step !== undefined && { step }) });
  }

  #message(kind: "verb" | "signal" | "child", name: string, payload: Json): void {
    this.#messages += 1;
    const message = { kind, name, payload, actor: "ann", id: `m${this.#messages}`, at: this.#now };
    for (const record of applyMessage(this.#plan, this.#state, message)) this.#record(record);
  }

  #record(record: JournalRecord): void {
    foldRecord(this.#plan, this.#state, record, this.#now);
    this.#show(record);
  }

  #decide(): void {
    const isSuspect = needsIsolation(this.#state.crashes);
    const { records, evaluate, abort, wakeAt } = decide(this.#plan, this.#state, this.#now);
    if (isSuspect && records.some(({ kind }) => kind === "dispatched"))
      this.#record({ kind: "isolated", alone: mustBeAlone(this.#state.crashes, this.#plan.maxCrashes) });
    for (const record of records) this.#show(record);
    for (const step of abort) this.#lines.push(`  cuts ${step} short`);
    for (const step of evaluate) this.#lines.push(`  evaluates ${step}`);
    if (this.#state.end === null && this.#state.running === 0 && evaluate.length === 0)
      this.#lines.push(`  waits until ${wakeAt ?? "somebody acts"}`);
  }

  #show({ kind, ...facts }: JournalRecord): void {
    const text = Object.entries(facts).map(
      ([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`,
    );
    this.#lines.push(`  ${kind} ${text.join(" ")}`.trimEnd());
  }
}
