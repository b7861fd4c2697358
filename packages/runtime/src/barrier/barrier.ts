import { RuntimeError } from "../errors.js";
import type { Json } from "../json.js";

/**
 * The participants' side of a saga. The network doubles, delays and reorders calls, and a replaced owner of a run may
 * still speak: a table of the keys seen, written in the transaction of the effect, makes each call count once.
 *
 * A step's key is unknown, `done` (with the answer), `refused` (with the refusal) or `undone`; undone is forever.
 *
 * - Step: unknown, the handler has its effect; done or refused, the same answer again; undone, refused as `compensated`.
 * - Compensation: done, the handler undoes; undone, nothing is left to do; unknown or refused, the key is only marked
 *   undone, so that a step that comes later finds it - unless the caller has seen the step's answer: then the handler undoes.
 * - Of one key one call is at work at a time, in all processes: the others wait for its commit, or are told `in-progress`.
 * - A fence below the highest one seen for the run is turned away as `stale-fence`, before anything else.
 *
 * Effect and row commit together. A handler that throws leaves neither, and the call may be repeated; only a
 * `BusinessRefusal` of a step is remembered. One of a compensation is not: an operator may have it tried again.
 */
export interface Barrier<Tx> {
  /**
   * Creates its tables, or brings them to this version. Idempotent; of many processes at once one does it. Errors:
   * `store-unavailable`, `store-incompatible` (a newer version made them).
   */
  migrate(): Promise<void>;
  /**
   * Performs a call once. Resolves with what the handler returned, now or the first time, as JSON; for a compensation
   * with null. Rejects with the `BusinessRefusal` of now or the first time, or one with code `compensated`; with
   * `input-invalid` (no barrier can keep such a call), `stale-fence`, `in-progress`, `store-unavailable` (should the
   * database have failed in its commit, the next attempt finds out) or `internal` (an answer that cannot be kept, a handler
   * that ended the transaction itself); or with whatever the handler threw.
   */
  run(call: BarrierCall, handler: BarrierHandler<Tx>, options?: BarrierRunOptions): Promise<Json>;
  /**
   * Deletes up to `limit` (default 500) keys and runs that were not touched for the retention time; gives how many.
   * Also done in passing, once in a hundred calls.
   */
  prune(limit?: number): Promise<number>;
}

/** A call as the protocol brings it. A local participant's `StepCall` or `CompensationCall` is one as it is. */
export interface BarrierCall {
  readonly runId: string;
  readonly idempotencyKey: string;
  /** Of the run's owner; it grows with each takeover. */
  readonly fence: number;
  /** Only of a compensation: the key of the step to undo. */
  readonly forwardKey?: string;
  /** Only of a compensation: whether the caller has seen the step's answer. Default `unknown`. */
  readonly outcome?: "completed" | "unknown";
}

/**
 * Has the effect, or undoes it, by the transaction alone: leave its begin, commit and rollback to the barrier. `answered`, of a
 * compensation: what the step answered, undefined when no such call is known here. A step's value becomes its
 * answer, JSON; undefined is null.
 */
export type BarrierHandler<Tx> = (tx: Tx, answered: Json | undefined) => unknown;

export interface BarrierRunOptions {
  /**
   * True: a compensation calls its handler also when no step is known under the key. For effects outside of the
   * transaction (a card charged by a bank), which may exist although the step's row does not. Default false.
   */
  readonly undoUnknown?: boolean;
}

export interface BarrierOptions {
  /** How long keys and fences are remembered, ms. Longer than runs live and are kept. Default 90 days. */
  readonly retentionMs?: number;
  /** Bound of a step's answer as JSON, bytes. Default 1 MiB, which is what the runtime's HTTP participant reads. */
  readonly maxAnswerBytes?: number;
}

const DEFAULT_RETENTION_MS = 90 * 24 * 3_600_000;
const DEFAULT_MAX_ANSWER_BYTES = 1_048_576;
export const DEFAULT_PRUNE_LIMIT = 500;
/** A call adds one key and one run at most, and a prune takes 500 of each: the tables shrink faster than they grow. */
export const PRUNE_EVERY_CALLS = 100;

/** Fills in the defaults. Error: `config-invalid` for one of them, or of `more`, that is no positive whole number. */
export function resolveBounds(
  { retentionMs = DEFAULT_RETENTION_MS, maxAnswerBytes = DEFAULT_MAX_ANSWER_BYTES }: BarrierOptions,
  more: Readonly<Record<string, number>> = {},
): Required<BarrierOptions> {
  for (const [name, value] of Object.entries({ retentionMs, maxAnswerBytes, ...more })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new RuntimeError("config-invalid", `expected ${name} to be a whole number of 1 or more, got ${value}`);
  }
  return { retentionMs, maxAnswerBytes };
}
