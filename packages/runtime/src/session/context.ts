import type { ContextConfig } from "../config.js";
import { RuntimeError } from "../errors.js";
import type { Json, JsonObject } from "../json.js";
import type { Ports } from "../ports.js";
import type { ContextSessions, ContextStamp } from "../store/context-sessions.js";
import type { SessionRecord, SessionStore } from "../store/session-store.js";

export interface ContextSessionsOptions {
  /** Opened and closed by its owner, usually the session manager. */
  readonly store: SessionStore;
  /** Of it `ttlMs`: how long a copy lives after each save. */
  readonly config: ContextConfig;
  /** Taken so that all managers are made alike; deadlines are the store's, so nothing here needs them. */
  readonly ports?: Ports;
}

/** Hot copies of runs' contexts as sessions of kind `context`, for `SagaManagerOptions.contexts`. Throws nothing. */
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
