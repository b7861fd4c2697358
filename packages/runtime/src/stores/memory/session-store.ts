import { RuntimeError } from "../../errors.js";
import { type Clock, systemPorts } from "../../ports.js";
import { decodeSessionCursor, encodeSessionCursor } from "../../store/session-cursor.js";
import { applyDelta, decodeData, encodeData } from "../../store/session-data.js";
import { deadline, isLive, isTouchDue } from "../../store/session-deadlines.js";
import type {
  NewSession,
  SessionDelta,
  SessionPage,
  SessionQuery,
  SessionRecord,
  SessionStore,
} from "../../store/session-store.js";

export interface MemorySessionStoreOptions {
  /** The store's clock. Default: the system's. */
  readonly clock?: Clock;
  /** Sessions held at most, expired ones that were not swept yet included; beyond it `create` throws `overloaded`. Default 100,000. */
  readonly maxSessions?: number;
}

/** Sessions of one process, for tests and development. They end with the process. */
export function createMemorySessionStore(options: MemorySessionStoreOptions = {}): SessionStore {
  return new MemorySessionStore(options.clock ?? systemPorts.clock, options.maxSessions ?? 100_000);
}

interface Entry extends Omit<SessionRecord, "data"> {
  /** JSON text, so that no caller holds a live object of the store. */
  readonly data: string;
  readonly tokenHash: string | null;
  /** The token before the current one, while its grace lasts. */
  readonly previous: { readonly tokenHash: string; readonly expiresAt: number } | null;
}

/**
 * One map by id holds the truth, a second one leads from token hashes to ids. Entries are replaced, never changed, and
 * each call does its work in one turn of the event loop: that is what makes it atomic.
 */
class MemorySessionStore implements SessionStore {
  readonly #clock: Clock;
  readonly #maxSessions: number;
  readonly #entries = new Map<string, Entry>();
  readonly #idByToken = new Map<string, string>();
  #isOpen = false;

  constructor(clock: Clock, maxSessions: number) {
    this.#clock = clock;
    this.#maxSessions = maxSessions;
  }

  async open(): Promise<void> {
    this.#isOpen = true;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  async ping(): Promise<void> {
    this.#now();
  }

  async create(session: NewSession): Promise<SessionRecord | "exists"> {
    const now = this.#now();
    const { id, kind, tokenHash, subject, idleMs, absoluteMs } = session;
    const data = encodeData(kind, session.data);
    if (this.#live(id, now) || (tokenHash !== null && this.#idByToken.has(tokenHash))) return "exists";
    this.#remove(id);
    if (this.#entries.size >= this.#maxSessions) {
      throw new RuntimeError(
        "overloaded",
        `expected at most ${this.#maxSessions} sessions in memory; raise maxSessions or use another store`,
        {
          maxSessions: this.#maxSessions,
        },
      );
    }
    const absoluteExpiresAt = absoluteMs === null ? null : now + absoluteMs;
    const expiresAt = deadline(now, idleMs, absoluteExpiresAt);
    if (tokenHash !== null) this.#idByToken.set(tokenHash, id);
    return this.#put({
      ...{ id, kind, subject, data, revision: 1, createdAt: now, touchedAt: now, idleMs, expiresAt, absoluteExpiresAt },
      ...{ tokenHash, previous: null },
    });
  }

  async load(tokenHash: string, options: { readonly touch: boolean }): Promise<SessionRecord | undefined> {
    const now = this.#now();
    const entry = this.#live(this.#idByToken.get(tokenHash), now);
    if (!entry) return undefined;
    // Both maps lead a token in its grace here; only the time says whether the grace is over.
    if (entry.tokenHash !== tokenHash && !(entry.previous && isLive(entry.previous, now))) return undefined;
    return options.touch && isTouchDue(entry, now) ? this.#put(touched(entry, now)) : toRecord(entry);
  }

  async loadById(id: string): Promise<SessionRecord | undefined> {
    const entry = this.#live(id, this.#now());
    return entry && toRecord(entry);
  }

  async commit(id: string, delta: SessionDelta, revision?: number): Promise<SessionRecord | "not-found" | "moved"> {
    const now = this.#now();
    const entry = this.#live(id, now);
    if (!entry) return "not-found";
    if (revision !== undefined && revision !== entry.revision) return "moved";
    const data = applyDelta(entry.kind, entry.data, delta);
    return this.#put({ ...touched(entry, now), data, revision: entry.revision + 1 });
  }

  async rotate(oldTokenHash: string, newTokenHash: string, graceMs: number): Promise<SessionRecord | "not-found"> {
    const now = this.#now();
    const entry = this.#live(this.#idByToken.get(oldTokenHash), now);
    if (!entry || entry.tokenHash !== oldTokenHash || this.#idByToken.has(newTokenHash)) return "not-found";
    if (entry.previous) this.#idByToken.delete(entry.previous.tokenHash);
    if (graceMs <= 0) this.#idByToken.delete(oldTokenHash);
    this.#idByToken.set(newTokenHash, entry.id);
    const previous = graceMs > 0 ? { tokenHash: oldTokenHash, expiresAt: now + graceMs } : null;
    return this.#put({ ...touched(entry, now), tokenHash: newTokenHash, previous });
  }

  async revoke(id: string): Promise<boolean> {
    const entry = this.#live(id, this.#now());
    if (entry) this.#remove(id);
    return entry !== undefined;
  }

  async revokeSubject(subject: string): Promise<number> {
    // Takes effect at the end of the call, so that what is created while it is under way falls under it too. There is
    // no moment between the judging and the removing; a store with such a moment needs an epoch per subject.
    await Promise.resolve();
    const now = this.#now();
    const ofSubject = [...this.#entries.values()].filter((entry) => entry.subject === subject && isLive(entry, now));
    for (const { id } of ofSubject) this.#remove(id);
    return ofSubject.length;
  }

  async list(query: SessionQuery): Promise<SessionPage> {
    const now = this.#now();
    const after = query.cursor === undefined ? undefined : decodeSessionCursor(query.cursor);
    const found = [...this.#entries.values()]
      .filter((entry) => isLive(entry, now) && entry.kind === (query.kind ?? "login"))
      .filter((entry) => query.subject === undefined || entry.subject === query.subject)
      .filter((entry) => after === undefined || newestFirst(entry, after) > 0)
      .sort(newestFirst);
    const items = found.slice(0, query.limit).map(toRecord);
    const last = items.at(-1);
    return { items, nextCursor: last && found.length > items.length ? encodeSessionCursor(last) : null };
  }

  async sweep(limit: number): Promise<SessionRecord[]> {
    const now = this.#now();
    const swept: SessionRecord[] = [];
    for (const entry of this.#entries.values()) {
      if (swept.length >= limit) break;
      if (isLive(entry, now)) continue;
      this.#remove(entry.id);
      swept.push(toRecord(entry));
    }
    return swept;
  }

  #now(): number {
    if (this.#isOpen) return this.#clock.now();
    throw new RuntimeError(
      "store-unavailable",
      "expected an open session store, got one that is closed; call open() first",
    );
  }

  #live(id: string | undefined, now: number): Entry | undefined {
    const entry = id === undefined ? undefined : this.#entries.get(id);
    return entry && isLive(entry, now) ? entry : undefined;
  }

  #put(entry: Entry): SessionRecord {
    this.#entries.set(entry.id, entry);
    return toRecord(entry);
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    if (entry.tokenHash !== null) this.#idByToken.delete(entry.tokenHash);
    if (entry.previous) this.#idByToken.delete(entry.previous.tokenHash);
  }
}

function touched(entry: Entry, now: number): Entry {
  const touchedAt = Math.max(entry.touchedAt, now);
  return { ...entry, touchedAt, expiresAt: deadline(touchedAt, entry.idleMs, entry.absoluteExpiresAt) };
}

function newestFirst(a: { createdAt: number; id: string }, b: { createdAt: number; id: string }): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}

function toRecord({ tokenHash: _tokenHash, previous: _previous, ...entry }: Entry): SessionRecord {
  return { ...entry, data: decodeData(entry.data) };
}
