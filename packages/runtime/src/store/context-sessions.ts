import type { Json } from "../json.js";
import type { RenewedOwner } from "./session-store.js";

/**
 * The hot copy of a run's context: a session of kind `context` under the run's id, without a token and without an
 * absolute lifetime. It is made by the first save, belongs to the instance that saved or loaded it last, and lives for the
 * idle time after that, and for as long as its owner, or who adopted it, renews it. It is a cache beside the journal, and
 * a stamp tells how much of the journal it contains: an older save that arrives late changes nothing. What a step writes on
 * the way leaves the stamp as it is, so a save under the same stamp replaces the one before. Context and stamp are always
 * written together. Losing it, by expiry or with the store, loses no run; the next save makes it anew.
 *
 * Every method throws `store-unavailable` when the store does not answer; what became of the call is then unknown.
 */
export interface ContextSessions {
  /**
   * One round trip when nobody else wrote it since. `newer`: the stored context has a newer stamp, and stays. Also
   * throws `payload-too-large`, and `session-revision-moved` when others keep writing it.
   */
  save(save: ContextSave): Promise<SavedContext | "newer">;
  /** And makes it the owner's, in the same round trip. Undefined: nothing was saved, or it expired, or was dropped. */
  load(runId: string, owner: string): Promise<LoadedContext | undefined>;
  /** Harmless when there is none. */
  drop(runId: string): Promise<void>;

  /**
   * Renews all that the owner has, in one call, and registers the owner for `leaseMs`. Contexts whose owner's lease ran out
   * become its own, at most `limit` of them.
   */
  renew(owner: string, leaseMs: number, limit: number): Promise<RenewedOwner>;
  /** The owner is gone: what it has is adopted by whoever renews next. Harmless for one that is not known. */
  retire(owner: string): Promise<void>;
  /** Contexts by owner, those of owners that are gone and were not yet adopted from included. */
  owners(): Promise<ReadonlyMap<string, number>>;
  /** Looks through `limit` contexts, of all owners, for the runs of one. */
  runsOf(owner: string, limit: number, cursor: string | null): Promise<OwnedRuns>;
}

export interface ContextSave {
  readonly runId: string;
  readonly context: Json;
  readonly stamp: ContextStamp;
  /** Its owner from here on. */
  readonly owner: string;
  /** From the last save or load of it here; null: none is known of, and it is created. */
  readonly revision: number | null;
}

export interface SavedContext {
  readonly revision: number;
}

export interface LoadedContext extends SavedContext {
  /** Null when what is stored is not readable; the next save replaces it. */
  readonly saved: { readonly context: Json; readonly stamp: ContextStamp } | null;
}

export interface OwnedRuns {
  readonly runs: readonly string[];
  /** Null: that was the last page. */
  readonly nextCursor: string | null;
}

/** How far in its run's journal a context is, ordered by fence, then seq. */
export interface ContextStamp {
  readonly seq: number;
  readonly fence: number;
}
