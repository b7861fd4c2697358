import type { Json } from "../json.js";

/**
 * The hot copy of a run's context: a session of kind `context` under the run's id, without a token and without an
 * absolute lifetime, kept for the idle time after each save. It is a cache beside the journal, and a stamp tells how
 * much of the journal it contains: a save by an older owner, or an older save that arrives late, changes nothing. What a
 * step writes on the way leaves the stamp as it is, so a save under the same stamp replaces the one before.
 * Losing it, by expiry or with the store, loses no run; the next save makes it anew.
 */
export interface ContextSessions {
  /** False when the stored context has a newer stamp, and stays. */
  save(runId: string, context: Json, stamp: ContextStamp): Promise<boolean>;
  /** Undefined when nothing was saved, when it expired or was dropped, or when what is stored is not readable. */
  load(runId: string): Promise<{ readonly context: Json; readonly stamp: ContextStamp } | undefined>;
  /** Harmless when there is none. */
  drop(runId: string): Promise<void>;
}

/** How far in its run's journal a context is, ordered by fence, then seq. */
export interface ContextStamp {
  readonly seq: number;
  readonly fence: number;
}
