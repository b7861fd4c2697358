import { decide, rollbackStatusOf, statusOf } from "../engine/decide.js";
import { fold, foldRecord } from "../engine/fold.js";
import { recordOutcome } from "../engine/outcome.js";
import type { RunPlan } from "../engine/plan.js";
import type { JournalRecord } from "../engine/records.js";
import type { RunState } from "../engine/state.js";
import type { StepOutcome } from "../engine/step-outcome.js";
import { applyVerb } from "../engine/verbs.js";
import { isObject, type JsonObject } from "../json.js";
import { type CancelTimer, uuidV7 } from "../ports.js";
import type { Append, AppendResult, ClaimedRun, InboxEntry, Next, RunChange, RunRow } from "../store/run-store.js";
import { ContextKeeper } from "./context-keeper.js";
import { type Attempt, perform } from "./perform.js";
import type { WorkerEnvironment } from "./worker-environment.js";

/** `parkedForMs`: when this instance may want to look for the run again; null: no need. */
export type OnGone = (driver: RunDriver, parkedForMs: number | null) => void;

/**
 * Drives one run while this process owns it: results and verbs come in, `decide` says what follows, one append makes
 * it all durable, and only then is anything performed. At most one append is unacknowledged at a time; what arrives
 * meanwhile rides in the next. It ends (`onGone`) when the run ended, was parked, or was lost to another owner.
 */
export class RunDriver {
  readonly run: RunRow;
  readonly #env: WorkerEnvironment;
  readonly #plan: RunPlan;
  readonly #state: RunState;
  readonly #context: ContextKeeper;
  readonly #underWay = new Map<string, AbortController>();
  readonly #outcomes: { readonly attempt: Attempt; readonly outcome: StepOutcome }[] = [];
  readonly #inbox = new Map<string, InboxEntry>();
  readonly #onGone: OnGone;
  /** Records that must precede whatever is decided next. */
  #preceding: JournalRecord[] = [];
  #snapshots: { strategy: string; resolve: () => void; reject: (error: unknown) => void }[] = [];
  #shown: RunChange;
  #appending = false;
  #draining = false;
  #gone = false;
  #cancelTimer: CancelTimer = () => {};

  constructor(env: WorkerEnvironment, plan: RunPlan, claimed: ClaimedRun, restored: JsonObject, onGone: OnGone) {
    this.#env = env;
    this.#plan = plan;
    this.run = claimed.run;
    this.#onGone = onGone;
    this.#state = fold(plan, claimed.run.createdAt, claimed.rows);
    this.#state.fence = claimed.run.fence;
    const { status, rollbackStatus, failureReason } = claimed.run;
    this.#shown = { status, rollbackStatus, failureReason };
    this.#context = new ContextKeeper({
      run: claimed.run.id,
      restored,
      config: env.config.checkpoint,
      clock: env.ports.clock,
      logger: env.logger,
      sessions: env.contexts,
      stamp: () => ({ seq: this.#state.seq, fence: this.#state.fence }),
      snapshot: (strategy) => this.#requestSnapshot(strategy),
    });
    for (const entry of claimed.inbox) this.#inbox.set(entry.id, entry);
  }

  /** The run was created and claimed in one write: what its first row dispatched is durable and can start. */
  startCreated(records: readonly JournalRecord[]): void {
    this.#performAll(records);
    this.#advance();
  }

  /** The run was claimed; whatever its last owner had under way is tried again. */
  startClaimed(): void {
    this.#advance();
  }

  /** Owned in the store, unknown here until now: what the journal has under way is nobody's, as after a crash. */
  startAdopted(): void {
    this.#preceding.push({ kind: "claimed", worker: this.#env.workerId() });
    this.#advance();
  }

  deliver(entries: readonly InboxEntry[]): void {
    for (const entry of entries) this.#inbox.set(entry.id, entry);
    if (entries.length > 0) this.#advance();
  }

  /** Finishes attempts under way, starts nothing new, and hands the run back. */
  drain(): void {
    this.#draining = true;
    if (this.#state.running === 0 && !this.#appending) this.abandon();
  }

  /** Stops at once and forgets the run: somebody else owns it, or will. Nothing is written. */
  abandon(): void {
    this.#leave(false, null);
  }

  #advance(): void {
    if (this.#appending || this.#gone) return;
    this.#cancelTimer();
    const now = this.#env.storeNow();
    const { records, consumed } = this.#takeIn(now);
    const decision = this.#draining ? { records: [], abort: [], wakeAt: null } : decide(this.#plan, this.#state, now);
    records.push(...decision.records);
    for (const step of decision.abort) this.#underWay.get(step)?.abort("the run's time is up");
    const snapshot = this.#snapshotDue();
    if (snapshot !== null) {
      const record = { kind: "checkpointed", n: this.#state.checkpoints + 1, strategy: snapshot } as const;
      this.#state.checkpoints = record.n;
      // Before the end, which nothing may follow.
      records.splice(records.at(-1)?.kind === "finished" ? -1 : records.length, 0, record);
    }
    if (records.length > 0)
      return void this.#append(records, consumed, snapshot !== null, this.#next(decision.wakeAt, now));
    if (decision.wakeAt !== null)
      this.#cancelTimer = this.#env.ports.clock.after(decision.wakeAt - now, () => this.#advance());
  }

  /** Folds what arrived: attempts' outcomes, then verbs. */
  #takeIn(now: number): { records: JournalRecord[]; consumed: string[] } {
    const records: JournalRecord[] = [];
    const take = (record: JournalRecord): void => {
      foldRecord(this.#plan, this.#state, record, now);
      records.push(record);
    };
    for (const record of this.#preceding.splice(0)) take(record);
    for (const { attempt, outcome } of this.#outcomes.splice(0)) {
      const done = outcome.kind === "completed" && attempt.direction === "forward";
      const delta = done ? this.#context.complete(attempt.step, outcome.output) : undefined;
      const record = recordOutcome(
        this.#plan,
        this.#state,
        attempt,
        outcome,
        () => this.#env.ports.random.float(),
        delta,
      );
      this.#env.counters.count(record);
      take(record);
    }
    if (this.#draining) return { records, consumed: [] };
    const consumed = [...this.#inbox.keys()];
    for (const entry of this.#inbox.values()) {
      const reason = isObject(entry.payload) && typeof entry.payload.reason === "string" ? entry.payload.reason : "";
      for (const record of applyVerb(this.#plan, this.#state, { name: entry.name, actor: entry.actor, reason }))
        take(record);
    }
    this.#inbox.clear();
    return { records, consumed };
  }

  #snapshotDue(): string | null {
    if (this.#snapshots.length > 0) return this.#snapshots[0]?.strategy ?? null;
    return this.#context.due(this.#state.phase === "ended");
  }

  #next(wakeAt: number | null, now: number): Next {
    if (this.#state.phase === "ended") return { kind: "finish" };
    if (this.#state.running > 0) return { kind: "keep" };
    if (this.#draining) return { kind: "park", delayMs: 0 };
    if (this.#state.stuck !== null) return { kind: "park", delayMs: null };
    if (wakeAt !== null && wakeAt - now > this.#env.parkAfterMs)
      return { kind: "park", delayMs: Math.ceil(wakeAt - now) };
    return { kind: "keep" };
  }

  async #append(
    records: readonly JournalRecord[],
    consumed: readonly string[],
    snapshot: boolean,
    next: Next,
  ): Promise<void> {
    this.#appending = true;
    const waiters = snapshot ? this.#snapshots.splice(0) : [];
    const change = this.#change(next);
    const append: Append = {
      run: this.run.id,
      fence: this.#state.fence,
      seq: this.#state.seq + 1,
      appendId: uuidV7(this.#env.ports),
      records,
      next,
      ...(change !== null && { change }),
      ...(consumed.length > 0 && { consumed }),
      ...(snapshot && {
        checkpoint: { n: this.#state.checkpoints, context: this.#context.live, keep: this.#env.config.checkpoint.keep },
      }),
    };
    if (snapshot) this.#context.taken();
    try {
      this.#acknowledge(append, await this.#env.append(append));
      for (const waiter of waiters) waiter.resolve();
    } catch (error) {
      for (const waiter of waiters) waiter.reject(error);
      if (!this.#gone)
        this.#env.logger.warn(
          { run: this.run.id, error: String(error) },
          "the run is left to its next owner: its journal could not be written",
        );
      this.abandon();
    }
  }

  #acknowledge(append: Append, result: AppendResult): void {
    this.#appending = false;
    if (this.#gone) return;
    if (result.kind === "rejected") return void this.#stick(append, result.reason);
    if (result.kind === "lease-lost") {
      this.#env.counters.leaseLost += 1;
      this.#env.logger.warn(
        { run: this.run.id, fence: append.fence },
        "another instance owns the run now; it is left alone",
      );
      return this.abandon();
    }
    this.#state.seq = append.seq;
    this.#shown = { ...this.#shown, ...append.change };
    this.#context.moved();
    this.#env.notifier.changed(this.run.id, append.next.kind === "finish");
    if (append.next.kind === "finish") return this.#leave(true, null);
    if (append.next.kind === "park") {
      if (result.parked) return this.#leave(false, append.next.delayMs);
      this.#env.lookIntoInbox();
    }
    // A lease that may have expired gives no right to act: the next owner finds the dispatch and takes it from there.
    if (!this.#env.trusted()) return this.abandon();
    this.#performAll(append.records);
    if (this.#draining && this.#state.running === 0) return this.abandon();
    this.#advance();
  }

  /**
   * The store will never take this row. What it said is lost, so the state here is no longer the journal's: the run is
   * parked for an operator, who by resuming it has the attempts under way tried again.
   */
  async #stick(refused: Append, reason: string): Promise<void> {
    const error = { code: "store-refused", message: `the store refused row ${refused.seq} of the journal: ${reason}` };
    this.#env.logger.error({ run: this.run.id, reason }, "the run is stuck: the store refused a row of its journal");
    const { run, fence, seq } = refused;
    const change: RunChange = { status: "stuck", failureReason: error };
    const records: JournalRecord[] = [{ kind: "stuck", error }];
    const append: Append = {
      run,
      fence,
      seq,
      appendId: uuidV7(this.#env.ports),
      records,
      change,
      next: { kind: "park", delayMs: null },
    };
    await this.#env.append(append).catch(() => {});
    this.abandon();
  }

  #performAll(records: readonly JournalRecord[]): void {
    for (const record of records) {
      if (record.kind === "dispatched")
        void this.#perform({ step: record.step, direction: record.direction, attempt: record.attempt });
    }
  }

  async #perform(attempt: Attempt): Promise<void> {
    const controller = new AbortController();
    this.#underWay.set(attempt.step, controller);
    const { plan, state, run } = { plan: this.#plan, state: this.#state, run: this.run };
    const { participants, ports } = this.#env;
    const context = this.#context.handle(attempt.step);
    const outcome = await perform({ plan, state, run, attempt, participants, context, clock: ports.clock, controller });
    if (this.#gone) return;
    this.#underWay.delete(attempt.step);
    this.#outcomes.push({ attempt, outcome });
    this.#advance();
  }

  #requestSnapshot(strategy: string): Promise<void> {
    if (this.#gone)
      return Promise.reject(new Error("expected to snapshot a run that this instance owns; it no longer does"));
    return new Promise((resolve, reject) => {
      this.#snapshots.push({ strategy, resolve, reject });
      this.#advance();
    });
  }

  /** Only what differs from the run's row. */
  #change(next: Next): RunChange | null {
    const status = statusOf(this.#state, next.kind === "park");
    const rollbackStatus = rollbackStatusOf(this.#state);
    const failed = this.#state.end?.error ?? this.#state.stuck?.error ?? this.#state.unwind?.error ?? null;
    const change: RunChange = {
      ...(status !== this.#shown.status && { status }),
      ...(rollbackStatus !== this.#shown.rollbackStatus && { rollbackStatus }),
      ...(failed !== (this.#shown.failureReason ?? null) && { failureReason: failed }),
      ...(this.#state.end?.status === "completed" && { output: this.#state.end.output }),
    };
    return Object.keys(change).length > 0 ? change : null;
  }

  #leave(ended: boolean, parkedForMs: number | null): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cancelTimer();
    for (const controller of this.#underWay.values()) controller.abort("this instance no longer owns the run");
    for (const waiter of this.#snapshots.splice(0))
      waiter.reject(new Error("the run left this instance before its snapshot was written"));
    void this.#context.close(ended);
    this.#onGone(this, parkedForMs);
  }
}
