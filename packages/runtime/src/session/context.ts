import type { ContextConfig } from "../config.js";
import { RuntimeError } from "../errors.js";
import type { Json, JsonObject } from "../json.js";
import type { Ports } from "../ports.js";
import type {
  ContextSave,
  ContextSessions,
  ContextStamp,
  LoadedContext,
  OwnedRuns,
  SavedContext,
} from "../store/context-sessions.js";
import type { RenewedOwner, SessionRecord, SessionStore } from "../store/session-store.js";

export interface ContextSessionsOptions {
  /** Opened and closed by its owner, usually the session manager. */
  readonly store: SessionStore;
  /** Of it `ttlMs`: how long a copy lives after it was last saved, loaded or renewed. */
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
const PREFIX = "run:";

class StoreContextSessions implements ContextSessions {
  readonly #store: SessionStore;
  readonly #idleMs: number;

  constructor({ store, config }: ContextSessionsOptions) {
    this.#store = store;
    this.#idleMs = Math.ceil(config.ttlMs);
  }

  /** What was last seen is taken to be so still, and looked at only when the store says that it is not. */
  async save({ runId, context, stamp, owner, revision }: ContextSave): Promise<SavedContext | "newer"> {
    const id = sessionId(runId);
    const data = { context, fence: stamp.fence, seq: stamp.seq };
    let seen = revision;
    for (let attempt = 1; attempt <= MAX_SAVE_ATTEMPTS; attempt += 1) {
      if (seen === null) {
        const created = await this.#store.create({
          ...{ id, kind: "context", tokenHash: null, subject: null, data, idleMs: this.#idleMs, absoluteMs: null },
          owner,
        });
        if (typeof created === "object") return { revision: created.session.revision };
      } else {
        // The stamp was compared with this revision, so it is written over this revision or not at all.
        const committed = await this.#store.commit(id, { set: data }, { revision: seen, owner, returning: "head" });
        if (typeof committed === "object") return { revision: committed.revision };
        if (committed === "not-found") {
          seen = null;
          continue;
        }
      }
      const present = await this.#store.loadById(id);
      const stored = present && decode(present);
      if (stored && isNewer(stored.stamp, stamp)) return "newer";
      seen = present?.revision ?? null;
    }
    const message = `expected to save the context of run ${runId} in ${MAX_SAVE_ATTEMPTS} attempts, others kept writing it; try again`;
    throw new RuntimeError("session-revision-moved", message, { runId });
  }

  async load(runId: string, owner: string): Promise<LoadedContext | undefined> {
    // A commit of nothing: it reads, keeps alive and changes hands in one.
    const present = await this.#store.commit(sessionId(runId), {}, { owner });
    return typeof present === "object" ? { revision: present.revision, saved: decode(present) } : undefined;
  }

  async drop(runId: string): Promise<void> {
    await this.#store.revoke(sessionId(runId));
  }

  renew(owner: string, leaseMs: number, limit: number): Promise<RenewedOwner> {
    return this.#store.renewOwner(owner, leaseMs, limit);
  }

  retire(owner: string): Promise<void> {
    return this.#store.retireOwner(owner);
  }

  async owners(): Promise<ReadonlyMap<string, number>> {
    return new Map((await this.#store.owners()).map(({ owner, contexts }) => [owner, contexts]));
  }

  async runsOf(owner: string, limit: number, cursor: string | null): Promise<OwnedRuns> {
    const page = await this.#store.list({ kind: "context", limit, ...(cursor !== null && { cursor }) });
    const owned = page.items.filter((item) => item.owner === owner && item.id.startsWith(PREFIX));
    return { runs: owned.map(({ id }) => id.slice(PREFIX.length)), nextCursor: page.nextCursor };
  }
}

function sessionId(runId: string): string {
  return `${PREFIX}${runId}`;
}

function isNewer(stamp: ContextStamp, than: ContextStamp): boolean {
  return stamp.fence !== than.fence ? stamp.fence > than.fence : stamp.seq > than.seq;
}

function decode({ kind, data }: SessionRecord): { readonly context: Json; readonly stamp: ContextStamp } | null {
  const { context, fence, seq }: JsonObject = data;
  if (kind !== "context" || context === undefined || typeof fence !== "number" || typeof seq !== "number") return null;
  return { context, stamp: { fence, seq } };
}
