import { rollbackStatusOf, statusOf } from "../engine/decide.js";
import type { RunState } from "../engine/state.js";
import type { Next, RunChange, RunRow } from "../store/run-store.js";

/** What the run's row in the store shows, so that an append writes of it only what differs. */
export class ShownRun {
  #shown: RunChange;

  constructor({ status, rollbackStatus, failureReason }: RunRow) {
    this.#shown = { status, rollbackStatus, failureReason };
  }

  /** Null: the row may stay as it is. */
  changeTo(state: RunState, next: Next): RunChange | null {
    const shown = this.#shown;
    const status = statusOf(state, next.kind === "park");
    const rollbackStatus = rollbackStatusOf(state);
    const failureReason = state.end?.error ?? state.stuck?.error ?? state.unwind?.error ?? null;
    const isCompleted = state.end?.status === "completed";
    // As with most rows: nothing is made to be compared.
    if (
      status === shown.status &&
      rollbackStatus === shown.rollbackStatus &&
      failureReason === shown.failureReason &&
      !isCompleted
    )
      return null;
    const change: { -readonly [Key in keyof RunChange]: RunChange[Key] } = {};
    if (status !== shown.status) change.status = status;
    if (rollbackStatus !== shown.rollbackStatus) change.rollbackStatus = rollbackStatus;
    if (failureReason !== shown.failureReason) change.failureReason = failureReason;
    if (isCompleted) change.output = state.end?.output ?? null;
    return change;
  }

  /** The run's row after its last append, written at `at`. */
  ended(run: RunRow, state: RunState, at: number): RunRow {
    const { status, rollbackStatus, failureReason, output } = this.#shown;
    const ended: { -readonly [Key in keyof RunRow]: RunRow[Key] } = { ...run };
    if (status !== undefined) ended.status = status;
    if (rollbackStatus !== undefined) ended.rollbackStatus = rollbackStatus;
    if (failureReason !== undefined) ended.failureReason = failureReason;
    if (output !== undefined) ended.output = output;
    ended.seq = state.seq;
    ended.fence = state.fence;
    ended.owner = null;
    ended.wakeAt = null;
    ended.updatedAt = at;
    ended.endedAt = at;
    return ended;
  }

  written(change: RunChange | undefined): void {
    if (change !== undefined) this.#shown = { ...this.#shown, ...change };
  }
}
