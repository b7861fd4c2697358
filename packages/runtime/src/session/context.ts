import type { ContextConfig } from "../config.js";
import { RuntimeError } from "../errors.js";
import type { Json, JsonObject } from "../json.js";
import type { Ports } from "../ports.js";
import type { SessionRecord, SessionStore } from "../store/session-store.js";

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

export interface ContextSessionsOptions {
  /** Opened and closed by its owner, usually the session manager. */
  readonly store: SessionStore;
  readonly config: ContextConfig;
  /** Taken so that all managers are made alike; deadlines are the store's, so nothing here needs them. */
  readonly ports?: Ports;
}

export function createContextSessions(options: ContextSessionsOptions): ContextSessions {
  return new StoreContextSessions(options);
}

/** Only the owners of one run, past and present, save its context: more rounds than that means a fault. */
const MAX_SAVE_ATTEMPTS = 16;

class StoreContextSessions implements ContextSessions {
  readonly #store: SessionStore;
  readonly #idleMs: number;

  constructor({ store, config }: ContextSessionsOptions) {
    this.#store = store;
    this.#idleMs = Math.ceil(config.ttlMs);
  }

  async save(runId: string, context: Json, stamp: ContextStamp): Promise<boolean> {
    const id = sessionId(runId);
    const data = { context, fence: stamp.fence, seq: stamp.seq };
    for (let attempt = 1; attempt <= MAX_SAVE_ATTEMPTS; attempt += 1) {
      const present = await this.#store.loadById(id);
      if (!present) {
        const created = await this.#store.create({
          ...{ id, kind: "context", tokenHash: null, subject: null, data, idleMs: this.#idleMs, absoluteMs: null },
        });
        if (created !== "exists") return true;
      } else {
        const stored = decode(present);
        if (stored && isNewer(stored.stamp, stamp)) return false;
        // The stamp was compared with this revision, so it is written over this revision or not at all.
        const committed = await this.#store.commit(id, { set: data }, present.revision);
        if (typeof committed === "object") return true;
      }
    }
    const message = `expected to save the context of run ${runId} in ${MAX_SAVE_ATTEMPTS} attempts, others kept writing it; try again`;
    throw new RuntimeError("session-revision-moved", message, { runId });
  }

  async load(runId: string): Promise<{ readonly context: Json; readonly stamp: ContextStamp } | undefined> {
    const present = await this.#store.loadById(sessionId(runId));
    return present && decode(present);
  }

  async drop(runId: string): Promise<void> {
    await this.#store.revoke(sessionId(runId));
  }
}

function sessionId(runId: string): string {
  return `run:${runId}`;
}

function isNewer(stamp: ContextStamp, than: ContextStamp): boolean {
  return stamp.fence !== than.fence ? stamp.fence > than.fence : stamp.seq > than.seq;
}

function decode({ kind, data }: SessionRecord): { readonly context: Json; readonly stamp: ContextStamp } | undefined {
  const { context, fence, seq }: JsonObject = data;
  if (kind !== "context" || context === undefined || typeof fence !== "number" || typeof seq !== "number")
    return undefined;
  return { context, stamp: { fence, seq } };
}
