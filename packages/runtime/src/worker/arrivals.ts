import { recordEvaluation } from "../engine/evaluation.js";
import { foldRecord } from "../engine/fold.js";
import { heartbeatOf } from "../engine/heartbeat.js";
import { applyMessage, type Message } from "../engine/messages.js";
import { recordOutcome } from "../engine/outcome.js";
import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord } from "../engine/records.js";
import type { RunState } from "../engine/state.js";
import type { Random } from "../ports.js";
import type { InboxEntry } from "../store/run-store.js";
import type { Attempt, Outcome } from "./attempt.js";
import type { ContextKeeper } from "./context-keeper.js";
import type { Counters } from "./counters.js";
import type { StepEvaluation } from "./evaluate.js";
import { HeardMessages } from "./heard-messages.js";
import { Notes } from "./notes.js";
import { RunInbox } from "./run-inbox.js";
import type { UnderWay } from "./under-way.js";

const NO_IDS: readonly string[] = [];

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
  readonly underWay: UnderWay;
  readonly counters: Counters;
  readonly random: Random;
  /** The run may go on. */
  readonly advance: () => void;
}

/**
 * What has come to a run and is in no row yet: outcomes of attempts, messages, what the expressions of steps gave. It is taken in
 * when nothing of the run is being written, all at once, and the row that says it is written together with what follows from it.
 */
export class Arrivals {
  readonly inbox: RunInbox;
  readonly heard = new HeardMessages();
  readonly notes: Notes;
  readonly #options: ArrivalsOptions;
  readonly #outcomes: { readonly attempt: Attempt; readonly outcome: Outcome }[] = [];
  readonly #random = (): number => this.#options.random.float();
  #preceding: JournalRecord[] = [];
  #held: (Taken & { readonly evaluations: readonly StepEvaluation[] }) | null = null;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
    this.inbox = new RunInbox(options.inbox);
    this.notes = new Notes(options.advance);
  }

  /** True when something new came. A sign of life counts at once, whatever is being written. */
  deliver(entries: readonly InboxEntry[]): boolean {
    for (const { kind, payload } of entries) {
      const heartbeat = kind === "heartbeat" ? heartbeatOf(payload) : null;
      if (heartbeat !== null) this.#options.underWay.beat(heartbeat.stage, heartbeat.attempt, undefined);
    }
    return this.inbox.deliver(entries);
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

  /** All that was taken is in the journal. */
  written(): void {
    this.inbox.written();
    this.heard.written();
    this.notes.written();
  }

  /** Folds what arrived: what functions say, attempts' outcomes, then messages. Those wait for the next owner when this one is `draining`. */
  take(now: number, draining: boolean): Taken {
    const { records, consumed } = this.#takeHeld(now);
    if (this.#preceding.length > 0) for (const record of this.#preceding.splice(0)) this.#fold(records, record, now);
    for (const record of this.notes.take()) this.#fold(records, record, now);
    for (const { attempt, outcome } of this.#outcomes) this.#fold(records, this.#record(attempt, outcome), now);
    this.#outcomes.length = 0;
    if (records.length > 0) for (const record of this.notes.offered()) this.#fold(records, record, now);
    if (draining) return { records, consumed };
    for (const message of this.heard.take()) this.#apply(records, message, now);
    const messages = this.inbox.take();
    if (messages.length === 0) return { records, consumed };
    for (const message of messages) this.#apply(records, message, now);
    return { records, consumed: [...consumed, ...messages.map(({ id }) => id)] };
  }

  #apply(records: JournalRecord[], message: Message, now: number): void {
    const { plan, state } = this.#options;
    // Nothing may follow the end, which consumes the rest of the inbox.
    if (state.phase === "ended") return;
    for (const record of applyMessage(plan, state, message)) {
      this.#fold(records, record, now);
      if (record.kind === "context-restored") this.#options.context.restore(record.context);
    }
  }

  #takeHeld(now: number): Taken {
    const held = this.#held;
    if (held === null) return { records: [], consumed: NO_IDS };
    this.#held = null;
    const { plan, state } = this.#options;
    for (const { step, evaluation } of held.evaluations)
      this.#fold(held.records, recordEvaluation(plan, state, step, evaluation), now);
    return held;
  }

  #fold(records: JournalRecord[], record: JournalRecord, now: number): void {
    foldRecord(this.#options.plan, this.#options.state, record, now);
    records.push(record);
  }

  #record(attempt: Attempt, outcome: Outcome): JournalRecord {
    const { plan, state, context, counters } = this.#options;
    const done = outcome.kind === "completed" && attempt.direction === "forward";
    const delta = done ? context.complete(attempt.step, outcome.output) : undefined;
    const record = recordOutcome(plan, state, attempt, outcome, this.#random, delta);
    counters.count(record);
    return record;
  }
}
