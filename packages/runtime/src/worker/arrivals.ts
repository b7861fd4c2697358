import { recordEvaluation } from "../engine/evaluation.js";
import { foldRecord } from "../engine/fold.js";
import { applyMessage } from "../engine/messages.js";
import { recordOutcome } from "../engine/outcome.js";
import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord } from "../engine/records.js";
import type { RunState } from "../engine/state.js";
import type { Random } from "../ports.js";
import type { InboxEntry } from "../store/run-store.js";
import type { ContextKeeper } from "./context-keeper.js";
import type { Counters } from "./counters.js";
import type { StepEvaluation } from "./evaluate.js";
import type { Attempt, Outcome } from "./perform.js";
import { RunInbox } from "./run-inbox.js";

/** What has been folded, and the ids of the messages among it. */
export interface Taken {
  readonly records: JournalRecord[];
  readonly consumed: readonly string[];
}

export interface ArrivalsOptions {
  readonly plan: RunPlan;
  /** What is taken in is folded into it. */
  readonly state: RunState;
  readonly context: ContextKeeper;
  readonly inbox: readonly InboxEntry[];
  readonly counters: Counters;
  readonly random: Random;
}

/**
 * What has come to a run and is in no row yet: outcomes of attempts, messages, what the expressions of steps gave. It is taken in
 * when nothing of the run is being written, all at once, and the row that says it is written together with what follows from it.
 */
export class Arrivals {
  readonly inbox: RunInbox;
  readonly #options: ArrivalsOptions;
  readonly #outcomes: { readonly attempt: Attempt; readonly outcome: Outcome }[] = [];
  #preceding: JournalRecord[] = [];
  #held: (Taken & { readonly evaluations: readonly StepEvaluation[] }) | null = null;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
    this.inbox = new RunInbox(options.inbox);
  }

  /** What comes before anything else that is taken in. */
  precede(record: JournalRecord): void {
    this.#preceding.push(record);
  }

  settled(attempt: Attempt, outcome: Outcome): void {
    this.#outcomes.push({ attempt, outcome });
  }

  /** What was taken and waited for the expressions of steps, so that one row holds both. */
  hold(held: Taken & { readonly evaluations: readonly StepEvaluation[] }): void {
    this.#held = held;
  }

  /** Folds what arrived: attempts' outcomes, then messages. Those wait for the next owner when this one is `draining`. */
  take(now: number, draining: boolean): Taken {
    const { plan, state } = this.#options;
    const held = this.#held;
    this.#held = null;
    const records = held?.records ?? [];
    const heldConsumed = held?.consumed ?? [];
    const take = (record: JournalRecord): void => {
      foldRecord(plan, state, record, now);
      records.push(record);
    };
    for (const { step, evaluation } of held?.evaluations ?? []) take(recordEvaluation(plan, state, step, evaluation));
    for (const record of this.#preceding.splice(0)) take(record);
    for (const { attempt, outcome } of this.#outcomes.splice(0)) take(this.#record(attempt, outcome));
    if (draining) return { records, consumed: heldConsumed };
    const messages = this.inbox.take();
    if (messages.length === 0) return { records, consumed: heldConsumed };
    for (const message of messages) {
      // Nothing may follow the end, which consumes the rest of the inbox.
      if (state.phase === "ended") break;
      for (const record of applyMessage(plan, state, message)) take(record);
    }
    return { records, consumed: [...heldConsumed, ...messages.map(({ id }) => id)] };
  }

  #record(attempt: Attempt, outcome: Outcome): JournalRecord {
    const { plan, state, context, counters, random } = this.#options;
    const done = outcome.kind === "completed" && attempt.direction === "forward";
    const delta = done ? context.complete(attempt.step, outcome.output) : undefined;
    const record = recordOutcome(plan, state, attempt, outcome, () => random.float(), delta);
    counters.count(record);
    return record;
  }
}
