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
    const status = statusOf(state, next.kind === "park");
    const rollbackStatus = rollbackStatusOf(state);
    const failureReason = state.end?.error ?? state.stuck?.error ?? state.unwind?.error ?? null;
    const change: RunChange = {
      ...(status !== this.#shown.status && { status }),
      ...(rollbackStatus !== this.#shown.rollbackStatus && { rollbackStatus }),
      ...(failureReason !== this.#shown.failureReason && { failureReason }),
      ...(state.end?.status === "completed" && { output: state.end.output }),
    };
    return Object.keys(change).length > 0 ? change : null;
  }

  /** The run's row after its last append, written at `at`. */
  ended(run: RunRow, state: RunState, at: number): RunRow {
    const { status, rollbackStatus, failureReason, output } = this.#shown;
    const ended = { ...run };
    return Object.assign(ended, {
      status: status ?? run.status,
      rollbackStatus: rollbackStatus ?? run.rollbackStatus,
      failureReason: failureReason === undefined ? run.failureReason : failureReason,
      output: output === undefined ? run.output : output,
      seq: state.seq,
      fence: state.fence,
      owner: null,
      wakeAt: null,
      updatedAt: at,
      endedAt: at,
    });
  }

  written(change: RunChange | undefined): void {
    this.#shown = { ...this.#shown, ...change };
  }
}
