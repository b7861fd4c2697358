import { eventsWith, stuckEvents } from "../choreography/run-events.js";
import { entryOf } from "../choreography/unit-entry.js";
import { isSuspect } from "../engine/crashes.js";
import type { Decision } from "../engine/decide.js";
import { correctDueTimes, fold } from "../engine/fold.js";
import type { Message } from "../engine/messages.js";
import type { RunPlan } from "../engine/plan.js";
import type { Failure, JournalRecord } from "../engine/records.js";
import type { RunState } from "../engine/state.js";
import type { CancelTimer } from "../ports.js";
import type { Append, AppendResult, ClaimedRun, InboxEntry, Next, RunRow } from "../store/run-store.js";
import { Arrivals } from "./arrivals.js";
import type { Attempt, Outcome } from "./attempt.js";
import { AttemptAbort } from "./attempt-abort.js";
import { messagesWith } from "./child-runs.js";
import { ContextKeeper } from "./context-keeper.js";
import { decideApart, NOTHING } from "./decide-apart.js";
import { evaluate } from "./evaluate.js";
import type { IsolatedRun } from "./isolation.js";
import { nextOf } from "./next-of.js";
import { Observation } from "./observation.js";
import { perform } from "./perform.js";
import type { RestoredContext } from "./restored-context.js";
import { type RowOwner, RowSender } from "./row-sender.js";
import type { EndedRun } from "./run-notifier.js";
import type { RunSurroundings } from "./run-surroundings.js";
import { ShownRun } from "./shown-run.js";
import { NO_SNAPSHOTS, SnapshotRequests } from "./snapshot-requests.js";
import { StepTransactions } from "./step-transactions.js";
import { stuckAppend } from "./stuck-append.js";
import { UnderWay } from "./under-way.js";
import type { WorkerEnvironment } from "./worker-environment.js";

const NO_TIMER: CancelTimer = () => {};

/** `left`: nobody here knows whether the store still has it as this worker's. */
export type Gone = "ended" | "parked" | "left";

/** `parkedForMs`: when this instance may want to look for the run again; null: no need. */
export type OnGone = (driver: RunDriver, how: Gone, parkedForMs: number | null) => void;

/**
 * Drives one run while this process owns it: results and verbs come in, `decide` says what follows, one append makes
 * it all durable, and only then is anything performed. At most one append is unacknowledged at a time; what arrives
 * meanwhile rides in the next. It ends (`onGone`) when the run ended, was parked, or was lost to another owner.
 */
export class RunDriver implements IsolatedRun, RowOwner {
  readonly run: RunRow;
  /** The run as handlers and participants see it. */
  readonly #performed: RunRow;
  readonly #env: WorkerEnvironment;
  readonly #plan: RunPlan;
  readonly #state: RunState;
  readonly #context: ContextKeeper;
  readonly #underWay = new UnderWay();
  readonly #arrivals: Arrivals;
  readonly #shown: ShownRun;
  readonly #transactions: StepTransactions;
  readonly #rows: RowSender;
  readonly #surroundings: RunSurroundings;
  readonly #onGone: OnGone;
  readonly #snapshots = new SnapshotRequests();
  #appending = false;
  /** There are messages that have not been delivered yet: asking again would not change that. */
  #parkRefused = false;
  #draining = false;
  #gone = false;
  #cancelTimer: CancelTimer = NO_TIMER;
  readonly #observation: Observation;

  constructor(env: WorkerEnvironment, plan: RunPlan, claimed: ClaimedRun, restored: RestoredContext, onGone: OnGone) {
    this.#env = env;
    this.#plan = plan;
    this.run = claimed.run;
    this.#onGone = onGone;
    this.#state = fold(plan, claimed.run.createdAt, claimed.rows);
    this.#state.fence = claimed.run.fence;
    this.#performed =
      plan.definition.unit === undefined ? this.run : { ...this.run, input: entryOf(this.run).carried.input };
    this.#shown = new ShownRun(claimed.run);
    this.#observation = new Observation(env, plan.isObserved);
    this.#context = new ContextKeeper({
      run: claimed.run.id,
      restored,
      config: env.config.checkpoint,
      clock: env.ports.clock,
      logger: env.logger,
      sessions: env.contexts,
      owner: () => env.workerId(),
      stamp: () => ({ seq: this.#state.seq, fence: this.#state.fence }),
      snapshot: (strategy, step) => this.#requestSnapshot(strategy, step),
    });
    this.#arrivals = new Arrivals({
      ...{ plan, state: this.#state, context: this.#context, inbox: claimed.inbox },
      ...{ counters: env.counters, random: env.ports.random },
    });
    this.#transactions = new StepTransactions({
      begin: env.begin,
      isIdle: () => !this.#appending,
      advance: () => this.#advance(),
      complete: (attempt, abort, output) => this.#known(attempt, abort, { kind: "completed", output }),
    });
    this.#rows = new RowSender(this, env, this.#transactions);
    this.#surroundings = {
      plan,
      state: this.#state,
      run: this.#performed,
      participants: env.participants,
      children: env.children,
      batches: env.batches,
      context: this.#context,
      clock: env.ports.clock,
      transactions: this.#transactions,
    };
  }

  /** A row of it is on its way, and nobody knows yet what becomes of it. */
  get hasRowInDoubt(): boolean {
    return this.#rows.isInDoubt;
  }

  /** Attempts that were dispatched count from the moment their row is sent. */
  get isBusy(): boolean {
    return this.#state.running > 0 && !this.#gone;
  }

  /** A hot copy of its context was seen. */
  get hasHotCopy(): boolean {
    return this.#context.hasHotCopy;
  }

  /** It may go on; of a run that was claimed, whatever its last owner had under way is tried again. */
  wake(): void {
    this.#advance();
  }

  /** The run was created and claimed in one write: what its first row dispatched is durable and can start. */
  startCreated(records: readonly JournalRecord[]): void {
    this.#performAll(records);
    this.#advance();
  }

  /** Owned in the store, unknown here until now: as after a crash. Before whatever it begins with, which may be its end. */
  adopt(): void {
    this.begin({ kind: "claimed", worker: this.#env.workerId() });
  }

  /** What comes before anything else that this run does. */
  begin(record: JournalRecord): void {
    this.#arrivals.precede(record);
  }

  deliver(entries: readonly InboxEntry[]): void {
    if (!this.#arrivals.inbox.deliver(entries)) return;
    this.#parkRefused = false;
    this.#observation.heard();
    this.#advance();
  }

  /** Of a unit, in passing; `isAwaited`: others wait for it. Resolves to whether the journal has it; false, or null at once: the inbox takes it. */
  hear(message: Message, isAwaited: boolean): Promise<boolean> | null {
    if (this.#gone || this.#draining) return null;
    const written = this.#arrivals.heard.add(message);
    this.#observation.heard();
    const waitMs = Observation.waitMs(this.#state, this.#arrivals.heard.count, isAwaited);
    if (waitMs === 0) this.#advance();
    else if (waitMs !== null) this.#advanceAfter(waitMs);
    return written;
  }

  /** Finishes attempts under way, starts nothing new, and hands the run back. */
  drain(): void {
    this.#draining = true;
    if (this.#state.running > 0 || this.#appending) return;
    if (this.#context.due("park") === null) this.abandon();
    else this.#advance();
  }

  /** Stops at once and forgets the run: somebody else owns it, or will. Nothing is written. */
  abandon(): void {
    this.#leave("left", null);
  }

  #advance(): void {
    if (this.#appending || this.#gone || this.#transactions.takesLane()) return;
    this.#cancelTimer();
    try {
      this.#decide();
    } catch (error) {
      // A fault of ours. Its messages are consumed, or they would bring the run back to it at once.
      const message = `the run cannot be advanced: ${String(error).slice(0, 500)}`;
      this.#transactions.fail(error);
      this.#stick({ code: "internal", message }, this.#arrivals.inbox.taken);
    }
  }

  #decide(): void {
    const now = this.#env.storeNow();
    const { records, consumed } = this.#arrivals.take(now, this.#draining);
    const { isolation } = this.#env;
    const decision = this.#draining ? NOTHING : decideApart(this.#plan, this.#state, now, this, isolation);
    records.push(...decision.records);
    if (this.#state.running === 0) isolation.settled();
    for (const step of decision.abort) this.#underWay.abort(step, "the run's time is up");
    const unevaluated = decision.evaluate.length > 0;
    if (unevaluated && !this.#transactions.isCommitting)
      return void this.#evaluate(decision.evaluate, records, consumed, now);
    const next = unevaluated ? ({ kind: "keep" } as const) : this.#next(decision, now);
    const snapshot = this.#snapshotDue(next);
    if (snapshot !== null) {
      const record = { kind: "checkpointed", n: this.#state.checkpoints + 1, strategy: snapshot } as const;
      this.#state.checkpoints = record.n;
      // Before the end, which nothing may follow.
      records.splice(records.at(-1)?.kind === "finished" ? -1 : records.length, 0, record);
    }
    // A run that nobody is needed for is handed back, also when there is nothing else to write.
    const handBack = next.kind === "park" && !this.#draining && !this.#parkRefused;
    if (records.length > 0 || handBack) return void this.#append(records, consumed, snapshot !== null, next);
    this.#arrivals.heard.written();
    const wakeAt = this.#observation.heldUntil(now) ?? decision.wakeAt;
    if (wakeAt !== null) this.#advanceAfter(wakeAt - now);
  }

  #advanceAfter(delayMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#env.ports.clock.after(delayMs, () => this.#advance());
  }

  /** Steps are due and have expressions. Nothing is written meanwhile, so that a step still costs one row. */
  async #evaluate(
    steps: readonly string[],
    records: JournalRecord[],
    consumed: readonly string[],
    now: number,
  ): Promise<void> {
    this.#appending = true;
    const { input } = this.#performed;
    const evaluations = await evaluate(this.#plan, this.#state, steps, { input, context: this.#context.live, now });
    this.#appending = false;
    if (this.#gone) return;
    this.#arrivals.hold({ records, consumed, evaluations });
    this.#advance();
  }

  #snapshotDue(next: Next): string | null {
    return this.#snapshots.strategy ?? this.#context.due(next.kind);
  }

  #next(decision: Decision, now: number): Next {
    const held = this.#observation.heldUntil(now) !== null;
    return nextOf(this.#state, decision, now, { draining: this.#draining, held, parkAfterMs: this.#env.parkAfterMs });
  }

  #append(records: readonly JournalRecord[], consumed: readonly string[], snapshot: boolean, next: Next): void {
    this.#appending = true;
    const change = this.#shown.changeTo(this.#state, next);
    const signals = messagesWith(this.run, this.#plan, this.#state, records);
    const events = eventsWith(this.run, this.#plan, this.#state, records, this.#env.storeNow());
    const append: { -readonly [Key in keyof Append]: Append[Key] } = {
      run: this.run.id,
      fence: this.#state.fence,
      seq: this.#state.seq + 1,
      appendId: this.#env.appendId(),
      records,
      next,
    };
    if (change !== null) append.change = change;
    if (consumed.length > 0) append.consumed = consumed;
    if (signals.length > 0) append.signals = signals;
    if (events.length > 0) append.events = events;
    if (snapshot) {
      const { keep } = this.#env.config.checkpoint;
      append.checkpoint = { n: this.#state.checkpoints, context: this.#context.live, keep };
      this.#context.taken();
    }
    this.#rows.send(append, snapshot ? this.#snapshots.take() : NO_SNAPSHOTS);
  }

  lost(error: unknown): void {
    this.#env.logger.warn(
      { run: this.run.id, error: String(error) },
      "the run is left to its next owner: its journal could not be written",
    );
    this.abandon();
    // A transaction may have committed: the journal says so.
    this.#env.lookIntoInbox();
  }

  acknowledged(append: Append, result: AppendResult): void {
    if (result.kind === "rejected") {
      const message = `the store refused row ${append.seq} of the journal: ${result.reason}`;
      return this.#stick({ code: "store-refused", message }, []);
    }
    this.#appending = false;
    if (result.kind === "lease-lost") {
      this.#env.counters.leaseLost += 1;
      this.#env.logger.warn(
        { run: this.run.id, fence: append.fence },
        "another instance owns the run now; it is left alone",
      );
      return this.abandon();
    }
    this.#arrivals.written();
    if (append.events !== undefined) this.#env.emitted(append.events, result.unread);
    this.#state.seq = append.seq;
    if (!isSuspect(this.#state.crashes)) this.#env.isolation.leave(this);
    correctDueTimes(this.#state, append.records, result.at);
    this.#shown.written(append.change);
    if (append.next.kind !== "finish") this.#context.moved();
    for (const { run } of append.signals ?? []) this.#env.messaged(run);
    if (append.next.kind === "finish") {
      this.#env.notifier.ended(this.run.id, () => this.#endedRun(result.at));
      return this.#leave("ended", null);
    }
    this.#env.notifier.changed(this.run.id);
    if (append.next.kind === "park") {
      if (result.parked) return this.#leave("parked", append.next.delayMs);
      this.#parkRefused = true;
      this.#env.lookIntoInbox();
    }
    // A lease that may have expired gives no right to act: the next owner finds the dispatch and takes it from there.
    if (!this.#env.trusted()) return this.abandon();
    this.#performAll(append.records);
    if (this.#draining && this.#state.running === 0) return this.abandon();
    this.#advance();
  }

  /** As the store has it now: who waits here for the end need not read it. */
  #endedRun(at: number): EndedRun {
    return {
      run: this.#shown.ended(this.run, this.#state, at),
      state: this.#state,
      // With checkpoints, a snapshot of all went out with the end; without, what steps returned is all there is.
      context: this.#env.config.checkpoint.enabled && !this.#plan.isObserved ? this.#context.live : this.#state.context,
    };
  }

  /**
   * The state here cannot become the journal's. What was said and not written is lost: the run is parked for an operator,
   * who by resuming it has the attempts under way tried again.
   */
  #stick(error: Failure, consumed: readonly string[]): void {
    this.#appending = true;
    this.#env.logger.error({ run: this.run.id, error: error.message }, "the run is stuck");
    const { fence, seq } = this.#state;
    const place = { run: this.run.id, fence, seq: seq + 1, appendId: this.#env.appendId() };
    const kept = consumed.length > 0 ? this.#arrivals.inbox.unwrittenSignals() : [];
    const events = stuckEvents(this.run, this.#plan, this.#state, error, this.#env.storeNow());
    const append = stuckAppend(place, error, { consumed, kept, events });
    this.#rows.sendLast(append, () => this.abandon());
  }

  #performAll(records: readonly JournalRecord[]): void {
    // What is told of there was performed elsewhere.
    if (this.#plan.isObserved) return;
    for (const record of records) {
      if (record.kind === "dispatched") this.#perform(record);
    }
  }

  /** What is known at once waits for the caller to advance the run; what comes later advances it. */
  #perform(attempt: Attempt): void {
    const abort = new AttemptAbort();
    this.#underWay.add(attempt.step, abort);
    const outcome = perform(this.#surroundings, attempt, abort);
    if (outcome instanceof Promise) {
      void outcome.then((known) => {
        if (this.#known(attempt, abort, known)) this.#advance();
      });
    } else this.#known(attempt, abort, outcome);
  }

  /** False: the run is gone, or the attempt is settled already, by its transaction. */
  #known(attempt: Attempt, abort: AttemptAbort, outcome: Outcome): boolean {
    if (this.#gone || !this.#underWay.end(attempt.step, abort)) return false;
    this.#arrivals.settled(attempt, outcome);
    return true;
  }

  #requestSnapshot(strategy: string, step?: string): Promise<void> {
    if (step !== undefined && this.#transactions.isHeldBy(step)) return this.#snapshots.refuse();
    const written = this.#snapshots.add(strategy);
    this.#advance();
    return written;
  }

  #leave(how: Gone, parkedForMs: number | null): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cancelTimer();
    this.#underWay.abortAll("this instance no longer owns the run");
    this.#transactions.close();
    this.#arrivals.heard.leave();
    this.#rows.leave();
    this.#snapshots.close();
    void this.#context.close(how === "ended");
    this.#onGone(this, how, parkedForMs);
  }
}
